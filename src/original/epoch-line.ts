import { maximumAccuracy } from '../results/run-file.ts';
import { formatPercent } from '../text.ts';
import type { Checkpoint } from '../training/checkpoint.ts';
import type { TrainingSettings } from '../training/model-file.ts';
import { describeEpoch } from '../training/progress.ts';

/**
 * The line for the end of an epoch: losses and accuracies, the best test accuracy so far, the epoch that is kept, the learning rate
 * and the time it took. Epochs count from 1 here.
 */
export function describeEpochEnd(
  settings: TrainingSettings,
  { rows, best }: Pick<Checkpoint, 'rows' | 'best'>,
  seconds: number,
): string {
  const row = rows.at(-1);
  if (row === undefined) throw new RangeError('no epoch has ended');
  const tested = rows.map(({ epoch, test }) => ({ epoch, accuracy: test?.accuracy ?? null }));
  const { epoch, accuracy } = maximumAccuracy(tested);
  return [
    describeEpoch(settings, row),
    `best test ${formatPercent(accuracy)} (epoch ${epoch + 1})`,
    ...(best === undefined ? [] : [`kept: epoch ${best.epoch + 1}`]),
    `learning rate ${row.learningRate.toPrecision(3)}`,
    `${seconds.toFixed(1)} s`,
  ].join(' · ');
}
