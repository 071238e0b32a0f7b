import { ReproError } from '../errors.ts';

/** Rows of the training clips to train on and to hold back, both class by class. */
export interface ClipSplit {
  readonly train: Int32Array;
  readonly validation: Int32Array;
}

/**
 * Holds back the last clips of each class: of n clips, ceil((1 - share) · n) stay for training, as in the original's `split_dataset`.
 *
 * @param labels the class of each training clip
 * @param order rows of the clips to use, in the order in which each class is split; by default all clips in order
 * @throws {ReproError} `split-empty` if either side is empty, except validation with a share of 0
 */
export function splitClips(
  labels: Int32Array,
  classes: number,
  validationShare: number,
  order: Int32Array = Int32Array.from(labels.keys()),
): ClipSplit {
  const rows: number[][] = Array.from({ length: classes }, () => []);
  for (const row of order) {
    const label = labels[row];
    const members = rows[label ?? -1];
    if (members === undefined) {
      throw new RangeError(`clip ${row} has class ${label}, of ${classes} classes`);
    }
    members.push(row);
  }
  const train: number[] = [];
  const validation: number[] = [];
  for (const members of rows) {
    const kept = Math.ceil((1 - validationShare) * members.length);
    train.push(...members.slice(0, kept));
    validation.push(...members.slice(kept));
  }
  if (train.length === 0 || (validation.length === 0 && validationShare > 0)) {
    const largest = Math.max(...rows.map((members) => members.length));
    throw new ReproError(
      'split-empty',
      `Of ${order.length} training clips in ${classes} classes, ${train.length} remain for training and ${validation.length} for validation.`,
      {
        fix: `${
          validation.length === 0 && largest > 1
            ? `Hold back at least one clip of the largest class, which has ${largest} (\`train.validationShare: ${Math.ceil(1000 / largest) / 1000}\`), or none (0)`
            : 'Choose another `train.validationShare`'
        }; or use more recordings: \`frames.limit.train\`, if the profile sets it, limits the clips of each class.`,
      },
    );
  }
  return { train: Int32Array.from(train), validation: Int32Array.from(validation) };
}
