import { hasErrorCode, ReproError } from '../../../base/errors.ts';
import { formatBytes } from '../../../base/text.ts';
import { ShapeError } from '../../../formats/tensor.ts';
import { countParameters, type NetworkSpec } from '../../spec.ts';
import type { Workload } from '../engine.ts';
import type { NativeAddon, NativeNetwork } from './addon-types.ts';

/** WebAssembly addresses 4 GB: what is left after its stack and what the allocator keeps. */
export const WASM_BYTES = 2 ** 32 - 2 ** 26;

/** How a network in WebAssembly is opened, whatever variables say for the compiled addon. */
export const WASM_SETTINGS = { threads: 1, instructionSet: 'wasm', winogradTile: 2 } as const;

/** The largest number of samples, at most `most`, whose need is within `available`; 0 if not even one fits. */
export async function largestBatch(
  most: number,
  available: number,
  bytesFor: (samples: number) => number | Promise<number>,
): Promise<number> {
  let [fits, tooMany] = [0, most + 1];
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    const bytes = await bytesFor(middle);
    if (Number.isFinite(bytes) && bytes <= available) fits = middle;
    else tooMany = middle;
  }
  return fits;
}

/** The memory that a batch needs besides the parameters; infinite for more than can be counted. */
export async function countBytes(
  network: Pick<NativeNetwork, 'bytesFor'>,
  samples: number,
  steps: number,
  training: boolean,
): Promise<number> {
  try {
    return await network.bytesFor(samples, steps, training);
  } catch (error) {
    if (hasErrorCode(error, 'PLIF_OUT_OF_MEMORY')) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

/**
 * The memory of a network's parameters, each kept with its gradient and both of Adam's moments, in bytes. The engine needs a little more: it
 * fills channels up to blocks of 16.
 */
export function countParameterBytes(spec: NetworkSpec): number {
  return 4 * countParameters(spec) * Float32Array.BYTES_PER_ELEMENT;
}

/**
 * Refuses a network whose parameters alone do not fit, before they are allocated.
 *
 * @throws {ReproError} `out-of-memory`
 */
export function checkParameterMemory(spec: NetworkSpec, availableBytes: number): void {
  const neededBytes = countParameterBytes(spec);
  if (neededBytes <= availableBytes) return;
  throw new ReproError(
    'out-of-memory',
    `This network's parameters, with gradients and Adam's moments, need ${describeMemory(neededBytes)}; ` +
      `${formatBytes(availableBytes)} are available.`,
    { fix: needsSmallerNetwork },
  );
}

/** Larger batches bring nothing, even where they fit. */
const largestPlanned = 65_536;

/** Why WebAssembly cannot compute these batches, however much memory this machine has, and what would fit; undefined if it can. */
export async function describeWasmExcess(
  addon: NativeAddon,
  { spec, steps, trainingBatch, evaluationBatch }: Workload,
): Promise<string | undefined> {
  const { layers, input, classes } = spec;
  checkParameterMemory(spec, WASM_BYTES);
  const available = WASM_BYTES - countParameterBytes(spec);
  const network = await addon.open({ layers, input, classes, ...WASM_SETTINGS });
  try {
    for (const [samples, training] of [
      [trainingBatch, true],
      [evaluationBatch, false],
    ] as const) {
      const bytesFor = (count: number) => countBytes(network, count, steps, training);
      if (samples === 0 || (await bytesFor(samples)) <= available) continue;
      const largest = await largestBatch(largestPlanned, available, bytesFor);
      return (
        `a batch of ${samples} needs more memory than the ${formatBytes(WASM_BYTES)} that it addresses ` +
        `(${largest === 0 ? 'none fits' : `one of ${largest} fits`}), and TensorFlow.js on the CPU takes thousands of times as long`
      );
    }
    return undefined;
  } finally {
    network.dispose();
  }
}

/** Where not even one sample fits. */
export const needsSmallerNetwork = 'Use a smaller network, or a machine with more memory.';

/**
 * An engine refuses a batch, or runs out of memory with it.
 *
 * @param availableBytes infinite for a GPU, which does not say
 * @param fitting how many samples would fit; 0 if none
 */
export function batchTooLarge(
  samples: number,
  neededBytes: number,
  availableBytes: number,
  fitting: number,
  cause?: unknown,
): ReproError {
  const available = Number.isFinite(availableBytes)
    ? `; ${formatBytes(availableBytes)} are available.`
    : ', which the GPU does not have.';
  return new ReproError(
    'out-of-memory',
    `This network needs ${describeMemory(neededBytes)} for a batch of ${samples}${available}`,
    {
      fix:
        fitting > 0
          ? `Lower the batch size (\`train.batchSize\`, \`evaluate.batchSize\`) to ${fitting} or less.`
          : needsSmallerNetwork,
      cause,
    },
  );
}

/** `3.5 GB of memory`. */
export function describeMemory(bytes: number): string {
  return Number.isFinite(bytes) ? `${formatBytes(bytes)} of memory` : 'more memory than can be addressed';
}

/** Gives an error of the addon, or of the WebGPU engine, the type that other engines' have; any other error is returned unchanged. */
export function explainNativeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (hasErrorCode(error, 'PLIF_SHAPE')) return new ShapeError(error.message, { cause: error });
  if (hasErrorCode(error, 'PLIF_OUT_OF_MEMORY')) {
    return new ReproError('out-of-memory', 'This network does not fit in memory.', {
      fix: needsSmallerNetwork,
      cause: error,
    });
  }
  return error;
}
