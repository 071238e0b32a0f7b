import { CONVERTED_RECORDINGS } from '../thesis/published.ts';
import type { ResolvedModel } from './model-file.ts';
import { isTested } from './progress.ts';
import { splitClips } from './split.ts';

/** The recordings of a data set in which every recording has the same clips. */
export interface RecordingCounts {
  readonly train: number;
  readonly test: number;
  /** Clips of each class in a recording. */
  readonly clipsByClass: readonly number[];
}

/** How often a clip is trained on and evaluated. */
export interface ClipPasses {
  readonly trained: number;
  readonly evaluated: number;
}

/** The passes of a whole training, and of the evaluation of its best epoch afterwards. */
export function countPasses(
  { training, compat }: Pick<ResolvedModel, 'training' | 'compat'>,
  { train, test, clipsByClass }: RecordingCounts,
): ClipPasses {
  const used = compat.trials === 'first-88' ? Math.min(train, CONVERTED_RECORDINGS) : train;
  const labels = Int32Array.from(
    clipsByClass.flatMap((clips, label) => Array.from({ length: used * clips }, () => label)),
  );
  const split = splitClips(labels, clipsByClass.length, training.validationShare);
  const tests = test * clipsByClass.reduce((sum, clips) => sum + clips, 0);
  const { batchSize, epochs } = training;
  const whole = (clips: number): number => clips - (clips % batchSize);
  const validated = compat.validation === 'all' ? split.validation.length : whole(split.validation.length);

  let evaluated = tests + split.validation.length;
  for (let epoch = 0; epoch < epochs; epoch++) {
    evaluated += validated + (isTested(training, epoch) ? tests : 0);
  }
  return { trained: epochs * whole(split.train.length), evaluated };
}
