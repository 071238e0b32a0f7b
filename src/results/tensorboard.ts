import { encodeEventFileHeader, encodeScalarEvents, type ScalarEvent } from '../formats/tfevents.ts';
import { type NetworkSpec, spikingLayers } from '../network/spec.ts';
import type { EpochMetrics } from './metrics.ts';

/** TensorBoard reads any file whose name begins like this. */
export const EVENT_FILE = 'events.out.tfevents.0.repro';

/** A point of a curve, without its time. */
export type Scalar = Omit<ScalarEvent, 'wallTimeSeconds'>;

/**
 * An epoch's scalars, with the tags and the order of the original's training script:
 *
 * - `train_accuracy` and `train_loss` of every 256th batch; the step is the number of batches before it, over all epochs
 * - `test_accuracy` (in epochs that were tested) and `val_accuracy` (if clips are held back); the step is the epoch, counted from 0
 * - `w<i>`, and `w_std<i>` if each neuron has its own τ: mean and unbiased standard deviation of w in the i-th layer with a
 *   learned τ, after the epoch; the step is the number of batches so far
 */
export function scalarsOf(spec: NetworkSpec, row: EpochMetrics): Scalar[] {
  const { epoch, logged, test, validation, batches } = row;
  const scalars: Scalar[] = [];
  for (const { step, loss, accuracy } of logged) {
    scalars.push({ tag: 'train_accuracy', step, value: accuracy }, { tag: 'train_loss', step, value: loss });
  }
  if (test !== null) scalars.push({ tag: 'test_accuracy', step: epoch, value: test.accuracy });
  if (validation !== null) scalars.push({ tag: 'val_accuracy', step: epoch, value: validation.accuracy });

  const learned = spikingLayers(spec).flatMap(({ neuron }, layer) => {
    const statistics = row.layers[layer];
    if (neuron.kind !== 'plif' || statistics === undefined || statistics.wMean === null) return [];
    return [{ neuron, statistics, wMean: statistics.wMean }];
  });
  learned.forEach(({ neuron, statistics, wMean }, i) => {
    scalars.push({ tag: `w${i}`, step: batches, value: wMean });
    if (neuron.tau.per !== 'layer') {
      scalars.push({ tag: `w_std${i}`, step: batches, value: statistics.wStd });
    }
  });
  return scalars;
}

/**
 * The event file of a whole training, from its first epoch.
 *
 * @param wallTimeSeconds an epoch's time since 1970; for outputs that are hashed, it must be the same in every run
 */
export function encodeTraining(
  spec: NetworkSpec,
  rows: readonly EpochMetrics[],
  wallTimeSeconds: (row: EpochMetrics) => number,
): Uint8Array {
  const [first] = rows;
  const events = rows.flatMap((row) =>
    scalarsOf(spec, row).map((scalar) => ({ ...scalar, wallTimeSeconds: wallTimeSeconds(row) })),
  );
  return Buffer.concat([
    encodeEventFileHeader(first === undefined ? 0 : wallTimeSeconds(first)),
    encodeScalarEvents(events),
  ]);
}
