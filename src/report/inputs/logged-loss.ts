import { decodeEventFile } from '../../formats/tfevents.ts';
import { summarise } from '../../stats/means.ts';
import type { Series } from '../data/results.ts';

/**
 * The training loss of the batches that a run logs one by one for TensorBoard, every 256th over all epochs. An event's time is its epoch,
 * counted from 0, in seconds after 1970.
 *
 * @param file name for error messages
 * @param epochs from 1
 * @returns for each epoch the mean over its logged batches; null if it has none, or if they are NaN or infinite
 */
export function readLoggedLoss(file: string, bytes: Uint8Array, epochs: readonly number[]): Series {
  const byEpoch = new Map<number, number[]>();
  for (const { tag, value, wallTimeSeconds } of decodeEventFile(bytes, file).scalars) {
    if (tag !== 'train_loss' || !Number.isFinite(value)) continue;
    byEpoch.set(wallTimeSeconds + 1, [...(byEpoch.get(wallTimeSeconds + 1) ?? []), value]);
  }
  return epochs.map((epoch) => {
    const values = byEpoch.get(epoch);
    return values === undefined ? null : summarise(values).mean;
  });
}
