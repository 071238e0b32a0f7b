import path from 'node:path';
import { formatPercent } from '../text.ts';
import type { Preparation } from './preparation.ts';
import type { RunSummary } from './run-folder.ts';

/**
 * The result of a training, for its end and for when it is asked for again.
 *
 * @param folder paths are shown relative to it
 */
export function describeOutcome(
  run: RunSummary,
  { logFolder, checkpointFolder }: Preparation,
  folder: string,
): string[] {
  const { best, maximumTest } = run;
  const data = run.simulated ? `${run.dataset}, simulated` : run.dataset;
  const test = best.testAccuracy === null ? 'not tested' : `test ${formatPercent(best.testAccuracy)}`;
  const validation =
    best.validationAccuracy === null
      ? 'no validation'
      : `validation ${formatPercent(best.validationAccuracy)}`;
  const seen = (one: string): string => path.relative(folder, one) || '.';
  return [
    `${run.title} (${data}), ${formatEpochs(run.epochsDone)}, seed ${run.seed}`,
    `kept: epoch ${best.epoch + 1}, ${validation}, ${test}`,
    `best test accuracy of any epoch: ${formatPercent(maximumTest.accuracy)} (epoch ${maximumTest.epoch + 1})`,
    `checkpoints: ${seen(checkpointFolder)}`,
    `TensorBoard: ${seen(logFolder)}`,
  ];
}

/** The lines for a training that has nothing left to do. */
export function describeFinished(run: RunSummary, preparation: Preparation, folder: string): string[] {
  const { max_epoch } = preparation.parsed.values;
  const fewer = run.epochsDone > max_epoch ? `, more than -max_epoch ${max_epoch}` : '';
  return [
    `Already finished: ${formatEpochs(run.epochsDone)} trained${fewer}. A larger -max_epoch continues it.`,
    ...describeOutcome(run, preparation, folder),
  ];
}

function formatEpochs(count: number): string {
  return `${count} ${count === 1 ? 'epoch' : 'epochs'}`;
}
