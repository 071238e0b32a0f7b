import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CachedClip } from '../results/clip-index.ts';
import { formatEvaluation } from '../results/evaluation-file.ts';
import { formatPredictions, type Predictions } from '../results/predictions.ts';
import type { RunFile } from '../results/run-file.ts';
import { formatTaus, type TausByState } from '../results/tau-file.ts';
import type { Evaluation } from './evaluation.ts';
import { confusionMatrix } from './scores.ts';

/** An evaluated split: the rows of its clips in the frame cache, all clips there, and the network's results. */
export interface EvaluatedSplit {
  readonly rows: Int32Array;
  readonly clips: readonly CachedClip[];
  readonly evaluation: Evaluation;
}

/** Everything that an evaluation finds out about a training run. */
interface EvaluatedRun {
  readonly run: RunFile;
  readonly classes: readonly string[];
  readonly test: EvaluatedSplit;
  /** Null if no clips are held back. */
  readonly validation: EvaluatedSplit | null;
  readonly taus: TausByState;
}

/** Writes the files of an evaluation: evaluation.json, predictions.csv and tau.csv. */
export async function writeEvaluationFiles(folder: string, evaluated: EvaluatedRun): Promise<void> {
  const { run, classes, test, validation, taus } = evaluated;
  const { predicted, labels } = test.evaluation;
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'evaluation.json'),
    formatEvaluation({
      model: run.model.id,
      title: run.model.title,
      seed: run.seed,
      dataset: run.dataset,
      simulated: run.simulated,
      classes,
      checkpoint: { selection: run.compat.selection, epoch: run.best.epoch },
      test: test.evaluation.score,
      validation: validation?.evaluation.score ?? null,
      spikeRates: {
        test: test.evaluation.spikeRates,
        validation: validation?.evaluation.spikeRates ?? null,
      },
      maximum: run.maximum,
      confusion: confusionMatrix(predicted, labels, classes.length),
    }),
  );
  const predictions: Predictions[] = [
    { split: 'test', ...test, ...test.evaluation },
    ...(validation === null
      ? []
      : [{ split: 'validation' as const, ...validation, ...validation.evaluation }]),
  ];
  await writeFile(join(folder, 'predictions.csv'), formatPredictions(classes.length, predictions));
  await writeFile(join(folder, 'tau.csv'), formatTaus(taus));
}
