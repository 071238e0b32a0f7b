import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RandomStream } from '../../src/data/simulated/random-stream.ts';
import { readSafetensors, writeSafetensors } from '../../src/formats/safetensors.ts';
import type { State, Tensor } from '../../src/formats/tensor.ts';
import type { Frames, TrainingBatch } from '../../src/network/engines/engine.ts';
import { initialState } from '../../src/network/initialise.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { dropoutLayers, type NetworkSpec } from '../../src/network/spec.ts';
import { type InputName, inputs } from './inputs.ts';

export type TauPer = 'layer' | 'neuron';

/** What is measured: the thesis' network, or the same network at another size. */
export interface Workload {
  /** A factor of batch norm's initial weight. */
  readonly gain: number;
  readonly input: InputName;
  readonly tau: TauPer;
  readonly batch: number;
  /** T. */
  readonly steps: number;
  /** Height and width of a frame. */
  readonly size: number;
  readonly channels: number;
  readonly layers: number;
  /** Neurons of the hidden layer; by default the thesis' number. */
  readonly hidden?: number | undefined;
  readonly recurrent?: boolean;
}

/** Files that every contestant reads, so that all compute the same step. */
export interface WorkloadFiles {
  /** uint8, [N, T, 2, size, size]. */
  readonly frames: string;
  /** The network's initial state. */
  readonly state: string;
  /** The same with batch norm's statistics of these frames; without them, evaluation would hardly see a spike. */
  readonly calibrated: string;
  /** Labels and dropout masks. */
  readonly targets: string;
}

const CLASSES = 11;

/**
 * Factors of the linear layers' initial weights. The outputs of a fresh network do not spike at all, so its loss would be the same whatever
 * the layers before compute.
 */
const gains: readonly (readonly [pattern: RegExp, gain: number])[] = [
  [/^fc\.2\.weight$/, 6],
  [/^fc\.5\.weight$/, 12],
];
const normWeight = /^conv\.(1|5|9|13|17)\.weight$/;

export const hyperparameters = { learningRate: 1e-3, regulariseTau: 0.01 } as const;

export function thesisNetwork({
  tau,
  size,
  channels,
  layers,
  hidden,
  recurrent = false,
}: Workload): NetworkSpec {
  return buildNetwork({
    input: [2, size, size],
    classes: CLASSES,
    channels,
    layers,
    ...(hidden === undefined ? {} : { hidden }),
    recurrent,
    neuron: 'plif',
    tau: { per: tau, mean: 2, std: tau === 'neuron' ? 0.1 : 0 },
    reset: { kind: 'hard', detach: true },
    surrogate: { kind: 'atan', alpha: 2, learnable: false },
    pooling: 'max',
  });
}

function busyState(spec: NetworkSpec, normGain: number): State {
  const state = initialState(spec, 1);
  for (const [name, { dtype, data }] of state) {
    const gain = normWeight.test(name) ? normGain : gains.find(([pattern]) => pattern.test(name))?.[1];
    if (gain !== undefined && dtype === 'F32') for (let i = 0; i < data.length; i++) data[i]! *= gain;
  }
  return state;
}

export function workloadFiles(folder: string): WorkloadFiles {
  return {
    frames: path.join(folder, 'frames.u8'),
    state: path.join(folder, 'state.safetensors'),
    calibrated: path.join(folder, 'calibrated.safetensors'),
    targets: path.join(folder, 'targets.safetensors'),
  };
}

/** Writes all files but `calibrated`, which an engine makes of them. */
export async function writeWorkload(workload: Workload, files: WorkloadFiles): Promise<void> {
  const { input, batch, steps, size } = workload;
  const spec = thesisNetwork(workload);
  const samples = Array.from({ length: batch }, (_, sample) =>
    inputs[input](steps, size, new RandomStream(['bench', input, sample])),
  );
  await writeFile(files.frames, Buffer.concat(samples));
  await writeFile(files.state, writeSafetensors(busyState(spec, workload.gain)));

  const random = new RandomStream(['bench', 'dropout']);
  const targets = new Map<string, Tensor>([
    [
      'labels',
      {
        dtype: 'I64',
        shape: [batch],
        data: BigInt64Array.from({ length: batch }, (_, i) => BigInt(i % CLASSES)),
      },
    ],
  ]);
  for (const [i, { features, probability }] of dropoutLayers(spec).entries()) {
    const data = Float32Array.from({ length: batch * features }, () =>
      random.chance(probability) ? 0 : 1 / (1 - probability),
    );
    targets.set(`mask.${i}`, { dtype: 'F32', shape: [batch, features], data });
  }
  await writeFile(files.targets, writeSafetensors(targets));
}

export async function readState(file: string): Promise<State> {
  return readSafetensors(await readFile(file)).tensors;
}

/** @param samples only the first so many */
export async function readBatch(
  workload: Workload,
  files: WorkloadFiles,
  samples: number,
): Promise<TrainingBatch> {
  const { steps, size } = workload;
  const counts = await readFile(files.frames);
  const shape: Frames['shape'] = [samples, steps, 2, size, size];
  const length = samples * steps * 2 * size * size;
  const { tensors } = readSafetensors(await readFile(files.targets));
  return {
    frames: { shape, data: new Uint8Array(counts).subarray(0, length) },
    labels: Int32Array.from(tensors.get('labels')!.data.subarray(0, samples), Number),
    dropoutMasks: dropoutLayers(thesisNetwork(workload)).map(({ features }, i) =>
      Float32Array.from(tensors.get(`mask.${i}`)!.data.subarray(0, samples * features), Number),
    ),
  };
}
