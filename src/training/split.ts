import { ReproError } from '../errors.ts';

/** Rows of the training clips that are trained on and those that are held back; both class by class, in file order. */
export interface ClipSplit {
  readonly train: Int32Array;
  readonly validation: Int32Array;
}

/** How `splitClips` chooses, in words, for `split.json`. */
export function describeSplitRule(validationShare: number): string {
  return `of the n sorted training clips of each class, the first ceil((1 - ${validationShare}) n) are trained on`;
}

/**
 * Holds back the last clips of each class: of n clips, ceil((1 - share) · n) stay for training. SpikingJelly's
 * `split_to_train_test_set` rounds so; the paper's counts (900 + 156 of 1,056) would also come from rounding to the nearest.
 *
 * @param labels class of each training clip, the clips sorted by recording and time
 * @throws {ReproError} `split-empty` if nothing is left on either side
 */
export function splitClips(labels: Int32Array, classes: number, validationShare: number): ClipSplit {
  const rows: number[][] = Array.from({ length: classes }, () => []);
  labels.forEach((label, row) => {
    const members = rows[label];
    if (members === undefined)
      throw new RangeError(`clip ${row} is of class ${label}, of ${classes} classes`);
    members.push(row);
  });
  const train: number[] = [];
  const validation: number[] = [];
  for (const members of rows) {
    const kept = Math.ceil((1 - validationShare) * members.length);
    train.push(...members.slice(0, kept));
    validation.push(...members.slice(kept));
  }
  if (train.length === 0 || validation.length === 0) {
    throw new ReproError(
      'split-empty',
      `Of ${labels.length} training clips in ${classes} classes, ${train.length} remain for training and ${validation.length} for validation.`,
      { fix: 'Use more recordings, or another `train.validationShare`.' },
    );
  }
  return { train: Int32Array.from(train), validation: Int32Array.from(validation) };
}
