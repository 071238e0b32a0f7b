import { hasErrorCode, ReproError } from '../errors.ts';
import { ShapeError } from '../snn/tensor.ts';
import { formatBytes } from '../text.ts';

/** Where not even one sample fits. */
export const needsSmallerNetwork = 'Use a smaller network, or a machine with more memory.';

/** A batch for which there is not enough memory. */
interface MemoryNeed {
  readonly samples: number;
  readonly neededBytes: number;
  /** Infinite for a GPU, which does not say. */
  readonly availableBytes: number;
  /** How many samples would fit; 0 if none. */
  readonly largestBatch: number;
}

/** An engine refuses a batch, or runs out of memory with it. */
export class EngineMemoryError extends ReproError {
  readonly need: MemoryNeed;

  constructor(need: MemoryNeed, cause?: unknown) {
    const { samples, neededBytes, availableBytes, largestBatch } = need;
    super(
      'out-of-memory',
      `This network needs ${describeMemory(neededBytes)} for a batch of ${samples}` +
        (Number.isFinite(availableBytes)
          ? `; ${formatBytes(availableBytes)} are available.`
          : ', which the GPU does not have.'),
      {
        fix:
          largestBatch > 0
            ? `Lower the batch size (\`train.batchSize\`, \`evaluate.batchSize\`) to ${largestBatch} or less.`
            : needsSmallerNetwork,
        cause,
      },
    );
    this.need = need;
  }
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
