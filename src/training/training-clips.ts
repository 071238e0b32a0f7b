import { ReproError } from '../base/errors.ts';
import { mixSeed, TorchRandom } from '../network/torch-random.ts';
import type { CachedClip } from '../results/clip-index.ts';
import { pickTestUsers } from '../results/run-file.ts';
import { COMPAT_DEFAULTS, type Compat } from '../results/thesis/compat.ts';
import { CONVERTED_RECORDINGS } from '../results/thesis/published.ts';
import { type FrameCache, labelsOf } from './frame-cache.ts';
import type { TrainingSettings } from './resolve-model.ts';

/** Distinguishes the stream of `file_order: shuffled` from other streams with the same seed: "file" in ASCII. */
const FILE_ORDER_STREAM = 0x66696c65;

/** Distinguishes the draw of `dataset.validation: users` from other streams with the same seed: "vali" in ASCII. */
const VALIDATION_STREAM = 0x76616c69;

/** The training clips in use. */
export interface TrainingClips extends Pick<FrameCache, 'testUsers'> {
  readonly split: ClipSplit;
  /** How they were chosen, in words, for `split.json`. */
  readonly rule: string;
  /** The switches in force with these clips; one with no effect is at its default. */
  readonly compat: Compat;
}

/**
 * Chooses and splits the training clips: `trials` selects recordings, `file_order` the order in which each class is split.
 *
 * @throws {ReproError} `compat-impossible` if `trials` needs a list that the data set lacks, or people are tested whom the list has;
 *   `validation-impossible` if people are to be held back, and clips have no users or all are of one; `split-empty` as in `splitClips`
 */
export function chooseTrainingClips(
  { index, rows: { train }, testUsers }: Pick<FrameCache, 'index' | 'rows' | 'testUsers'>,
  { training, compat }: { readonly training: TrainingSettings; readonly compat: Compat },
  seed: number,
): TrainingClips {
  const { dataset, classes, splits } = index;
  const clips = splits.train;
  let inForce = compat;
  let rows = train;
  if (compat.trials === 'first-88') {
    if (testUsers !== undefined)
      throw impossible('is about the official training split', 'Use `all`, or remove `dataset.folds`.');
    rows = rows.filter((row) => placeOf(clips[row]!, dataset) < CONVERTED_RECORDINGS);
    if (rows.length === train.length) inForce = { ...inForce, trials: COMPAT_DEFAULTS.trials };
  }
  if (compat.file_order === 'shuffled') {
    // By clip, and not by recording: the original lists a folder of converted clips for each class.
    const order = new TorchRandom(mixSeed(seed, FILE_ORDER_STREAM)).permutation(rows.length);
    rows = order.map((place) => rows[place]!);
  }
  const { validationShare, batchSize } = training;
  const used = [...rows].map((row) => clips[row]!);
  const heldBack = training.validation && drawUsers(used, training, seed);
  const isHeldBack = heldBack && ((row: number) => heldBack.includes(clips[row]!.user!));
  const split = splitClips(labelsOf(clips), classes.length, validationShare, rows, isHeldBack);
  if (split.validation.length % batchSize === 0)
    inForce = { ...inForce, validation: COMPAT_DEFAULTS.validation };
  const rule = describeSplitRule(validationShare, inForce, testUsers, heldBack);
  return { split, rule, compat: inForce, ...pickTestUsers({ testUsers }) };
}

/** The last of the people in a random order, as many of them as of a class's clips, but at least one; in ascending order. */
function drawUsers(
  clips: readonly CachedClip[],
  { validationShare }: TrainingSettings,
  seed: number,
): readonly number[] {
  const users = [...new Set(clips.map(({ user }) => user ?? -1))].sort((a, b) => a - b);
  if (users.length < 2 || users[0] === -1) {
    const problem = `the training clips ${users[0] === -1 ? 'have no users' : 'are of one person'}, so that nobody can be held back.`;
    const details = {
      where: 'dataset.validation',
      fix: 'Remove it, to hold back the last clips of each class.',
    };
    throw new ReproError('validation-impossible', problem, details);
  }
  const order = new TorchRandom(mixSeed(seed, VALIDATION_STREAM)).permutation(users.length);
  const kept = Math.min(users.length - 1, countKept(users.length, validationShare));
  return [...order.slice(kept)].map((place) => users[place]!).sort((a, b) => a - b);
}

function placeOf({ recording, trial }: CachedClip, dataset: string): number {
  if (trial !== null) return trial;
  const why = `needs the list trials_to_train.txt, and ${recording} of ${dataset} is not in one`;
  throw impossible(why, 'Use `all`: the switch is for DVS128 Gesture.');
}

function impossible(why: string, fix: string): ReproError {
  const where = 'train.compat.trials';
  return new ReproError('compat-impossible', `compat.trials: first-88 ${why}.`, { where, fix });
}

function describeSplitRule(
  validationShare: number,
  { trials, file_order }: Pick<Compat, 'trials' | 'file_order'>,
  testUsers: readonly number[] | undefined,
  heldBack: readonly number[] | undefined,
): string {
  const kind =
    file_order === 'sorted' ? 'sorted training clips' : 'training clips in an order drawn at random,';
  const recordings =
    testUsers !== undefined
      ? ` (of both files, without users ${testUsers.join(', ')}, who are tested)`
      : trials === 'all'
        ? ''
        : ` (only those of the first ${CONVERTED_RECORDINGS} recordings in trials_to_train.txt)`;
  if (heldBack !== undefined)
    return `of the people in the ${kind.replace(/,$/, '')}${recordings}, users ${heldBack.join(', ')}, drawn by seed, are held back, and all others are trained on`;
  if (validationShare === 0)
    return `all ${kind.replace(/,$/, '')} are trained on${recordings}; none are held back`;
  return `of the n ${kind} of each class${recordings}, the first ceil((1 - ${validationShare}) n) are trained on`;
}

/** Rows of the training clips to train on and to hold back, both class by class. */
export interface ClipSplit {
  readonly train: Int32Array;
  readonly validation: Int32Array;
}

/** How many of a class's clips stay for training, as in the original's `split_dataset`. */
export function countKept(clips: number, validationShare: number): number {
  return Math.ceil((1 - validationShare) * clips);
}

/**
 * Holds back the last clips of each class, all but `countKept`; or those that `isHeldBack` names by their rows.
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
  isHeldBack?: (row: number) => boolean,
): ClipSplit {
  const rows: number[][] = Array.from({ length: classes }, () => []);
  for (const row of order) rows[labels[row]!]!.push(row);
  const train: number[] = [];
  const validation: number[] = [];
  for (const members of rows) {
    const kept = countKept(members.length, validationShare);
    for (const [i, row] of members.entries())
      ((isHeldBack?.(row) ?? i >= kept) ? validation : train).push(row);
  }
  if (train.length === 0 || (validation.length === 0 && validationShare > 0)) {
    const largest = Math.max(...rows.map((members) => members.length));
    const present = rows.filter(({ length }) => length > 0).length;
    const remedy =
      validation.length === 0 && largest > 1
        ? `Hold back at least one clip of the largest class, which has ${largest} (\`train.validationShare: ${Math.ceil(1000 / largest) / 1000}\`), or none (0)`
        : 'Choose another `train.validationShare`';
    throw new ReproError(
      'split-empty',
      `Of ${order.length} training clips in ${present === classes ? classes : `${present} of ${classes}`} classes, ${train.length} remain for training and ${validation.length} for validation.`,
      {
        fix: `${remedy}; or use more recordings: \`frames.limit.train\`, if the profile sets it, limits the clips of each class.`,
      },
    );
  }
  return { train: Int32Array.from(train), validation: Int32Array.from(validation) };
}
