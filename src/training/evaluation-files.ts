import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CachedClip } from '../formats/frame-cache.ts';
import type { Evaluation } from './evaluation.ts';
import type { Maximum } from './metrics.ts';
import { formatPredictions } from './predictions.ts';
import { formatJson, type RunFile } from './run-files.ts';
import { confusionMatrix } from './scores.ts';
import { describeSelection } from './selection.ts';
import { formatTauQuantiles, type TauQuantiles } from './tau-quantiles.ts';

/** An evaluated split: the rows of its clips in the frame cache, all clips there, and the network's results. */
export interface EvaluatedSplit {
  readonly rows: Int32Array;
  readonly clips: readonly CachedClip[];
  readonly evaluation: Evaluation;
}

/** Everything that an evaluation finds out about a training run. */
export interface EvaluatedRun {
  readonly run: RunFile;
  readonly classes: readonly string[];
  readonly test: EvaluatedSplit;
  /** Null if no clips are held back. */
  readonly validation: EvaluatedSplit | null;
  readonly maximum: { readonly test: Maximum; readonly validation: Maximum | null };
  /** Of the chosen epoch and of the last one. */
  readonly taus: { readonly chosen: readonly TauQuantiles[]; readonly last: readonly TauQuantiles[] };
}

/** Writes the files of an evaluation: evaluation.json, predictions.csv and tau.csv. */
export async function writeEvaluationFiles(folder: string, evaluated: EvaluatedRun): Promise<void> {
  const { run, classes, test, validation, maximum, taus } = evaluated;
  const { predicted, labels } = test.evaluation;
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'evaluation.json'),
    formatJson({
      version: 1,
      model: run.model.id,
      title: run.model.title,
      seed: run.seed,
      dataset: run.dataset,
      simulated: run.simulated,
      classes,
      checkpoint: { rule: describeSelection(run.compat.selection), epoch: run.best.epoch },
      test: test.evaluation.score,
      validation: validation?.evaluation.score ?? null,
      spikeRates: {
        test: test.evaluation.spikeRates,
        validation: validation?.evaluation.spikeRates ?? null,
      },
      maximum,
      confusion: confusionMatrix(predicted, labels, classes.length),
    }),
  );
  const predictions = [
    { split: 'test', ...test, ...test.evaluation },
    ...(validation === null ? [] : [{ split: 'validation', ...validation, ...validation.evaluation }]),
  ];
  await writeFile(join(folder, 'predictions.csv'), formatPredictions(classes.length, predictions));
  await writeFile(join(folder, 'tau.csv'), formatTauQuantiles(taus));
}
