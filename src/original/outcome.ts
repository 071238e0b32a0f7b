import path from 'node:path';
import type { Preparation } from './preparation.ts';
import type { OriginalRunFile } from './run-folder.ts';

/**
 * What came of a training, for its end and for when it is asked for again.
 *
 * @param folder paths are shown as seen from here
 */
export function describeOutcome(
  run: OriginalRunFile,
  { logFolder, checkpointFolder }: Preparation,
  folder: string,
): string[] {
  const { best, maximum } = run;
  const data = run.simulated ? `${run.dataset}, simulated` : run.dataset;
  const test = best.testAccuracy === null ? 'not tested' : `test ${percent(best.testAccuracy)}`;
  const seen = (one: string): string => path.relative(folder, one) || '.';
  return [
    `${run.model.title} (${data}), ${run.epochsDone} epochs, seed ${run.seed}`,
    `kept: epoch ${best.epoch + 1}, validation ${percent(best.validationAccuracy)}, ${test}`,
    `best test accuracy of any epoch: ${percent(maximum.test.accuracy)} (epoch ${maximum.test.epoch + 1})`,
    `checkpoints: ${seen(checkpointFolder)}`,
    `TensorBoard: ${seen(logFolder)}`,
  ];
}

/** What is said when there is nothing left to do. */
export function describeFinished(run: OriginalRunFile, preparation: Preparation, folder: string): string[] {
  const { max_epoch } = preparation.parsed.values;
  const fewer = run.epochsDone > max_epoch ? `, and -max_epoch ${max_epoch} asks for fewer` : '';
  return [
    `Finished already: ${run.epochsDone} epochs are trained${fewer}. A larger -max_epoch goes on.`,
    ...describeOutcome(run, preparation, folder),
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
