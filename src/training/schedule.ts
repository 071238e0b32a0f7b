import { ReproError } from '../base/errors.ts';
import { TorchRandom } from '../network/torch-random.ts';

/**
 * Learning rate of an epoch under cosine annealing that is never restarted: `η · (1 + cos(π · epoch / halfPeriod)) / 2`.
 * It falls to 0 over `halfPeriod` epochs (PyTorch's `T_max`) and rises again over as many.
 *
 * @param epoch 0-based
 * @see Loshchilov and Hutter 2017, eq. 5; the closed form of `torch.optim.lr_scheduler.CosineAnnealingLR`
 */
export function cosineLearningRate(initial: number, halfPeriod: number, epoch: number): number {
  return (initial * (1 + Math.cos((Math.PI * epoch) / halfPeriod))) / 2;
}

/**
 * The orders in which one epoch visits the training clips and, if it shuffles those too, the validation clips.
 *
 * The original's three data loaders (training, test, validation, in this order) each draw a base seed for their workers
 * from torch's global generator, and the two that shuffle then draw the seed of a permutation. All of these draws are made
 * here, so that later epochs have PyTorch's orders too.
 *
 * @param random the stream that the network's initial weights were drawn from
 * @returns positions in the training and validation parts of the split
 */
export function drawEpochOrders(
  random: TorchRandom,
  clips: { readonly train: number; readonly validation: number },
): { readonly train: Int32Array; readonly validation: Int32Array } {
  random.int64(); // training loader: base seed
  const train = new TorchRandom(random.int64()).permutation(clips.train);
  random.int64(); // test loader: base seed
  // Fang's `train.py`, which trains without validation, has no third loader.
  if (clips.validation === 0) return { train, validation: new Int32Array() };
  random.int64(); // validation loader: base seed
  const validation = new TorchRandom(random.int64()).permutation(clips.validation);
  return { train, validation };
}

/** The rows of an order's whole batches; a last partial one is dropped. */
export function wholeBatches(order: Int32Array, rows: Int32Array, batchSize: number): Int32Array {
  return order.subarray(0, order.length - (order.length % batchSize)).map((place) => rows[place]!);
}

/** As in PyTorch on the CPU, only the low 32 bits of a seed count: a larger one would repeat the run of a smaller one. */
export const LARGEST_SEED = 2 ** 32 - 1;

/**
 * Reads a seed of the profile.
 *
 * @throws {ReproError} `seed-invalid` unless it is a whole number from 0 to `LARGEST_SEED`
 */
export function readSeed(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= LARGEST_SEED)
    return value;
  const problem = `A seed must be a whole number from 0 to ${LARGEST_SEED}, found ${String(value)}.`;
  throw new ReproError('seed-invalid', problem, { fix: 'Correct `seeds` in the profile.' });
}
