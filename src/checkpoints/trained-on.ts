import { ReproError } from '../errors.ts';
import type { Fields } from '../formats/fields.ts';
import { type ClipIndex, NORMALIZATIONS, type Normalization } from '../formats/frame-cache.ts';

/** How frames were made, under the names that a profile has for it: `frames.steps` and so on. */
export interface FrameRecipe {
  /** T: frames a clip. */
  readonly steps: number | null;
  readonly splitBy: 'number' | 'time' | null;
  /** Pixels binned in each direction. */
  readonly downsample: number | null;
  readonly normalization: Normalization | 'none' | null;
  readonly invalidEvents: 'keep' | 'drop' | null;
}

/** What a state was trained on; null is what is not known. */
export interface TrainedOn {
  readonly dataset: string | null;
  readonly simulated: boolean | null;
  readonly frames: FrameRecipe;
}

/** Of a state that comes from elsewhere: T at most. */
export function trainedElsewhere(steps: number | null): TrainedOn {
  return {
    dataset: null,
    simulated: null,
    frames: { steps, splitBy: null, downsample: null, normalization: null, invalidEvents: null },
  };
}

/** Reads `dataset`, `simulated` and `frames` of run.json, or of what an export wrote of it. */
export function readTrainedOn(fields: Fields): TrainedOn {
  const frames = fields.object('frames');
  const count = (name: string): number | null => (frames.has(name) ? frames.count(name) : null);
  const choice = <T extends string>(name: string, choices: readonly T[]): T | null =>
    frames.has(name) ? frames.choice(name, choices) : null;
  return {
    dataset: fields.has('dataset') ? fields.text('dataset') : null,
    simulated: fields.has('simulated') ? fields.flag('simulated') : null,
    frames: {
      steps: count('steps'),
      splitBy: choice('splitBy', ['number', 'time']),
      downsample: count('downsample'),
      normalization: choice('normalization', ['none', ...NORMALIZATIONS]),
      invalidEvents: choice('invalidEvents', ['keep', 'drop']),
    },
  };
}

/** The same of a training's run.json, where frames of which nothing is said are not normalised. */
export function readTraining(run: Fields): TrainedOn {
  const { frames, ...rest } = readTrainedOn(run);
  return { ...rest, frames: { ...frames, normalization: frames.normalization ?? 'none' } };
}

/** One way in which frames are not those of the training. */
interface Difference {
  /** Key of the profile. */
  readonly key: string;
  readonly trained: string;
  readonly here: string;
}

/** What is known to differ between the frames of a training and these. */
function compareFrames(trained: TrainedOn, { dataset, frames }: ClipIndex): Difference[] {
  const here: FrameRecipe = {
    steps: frames.steps,
    splitBy: frames.splitBy,
    downsample: frames.downsample,
    normalization: frames.normalization ?? 'none',
    invalidEvents: frames.invalidEvents ?? null,
  };
  const keys = ['steps', 'splitBy', 'downsample', 'normalization', 'invalidEvents'] as const;
  const pairs = [
    ['dataset.name', trained.dataset, dataset] as const,
    ...keys.map((key) => [`frames.${key}`, trained.frames[key], here[key]] as const),
  ];
  return pairs.flatMap(([key, before, now]) =>
    before === null || now === null || before === now
      ? []
      : [{ key, trained: String(before), here: String(now) }],
  );
}

/**
 * Says no to frames that were made otherwise than those of the training: a network shown counts where it learned from shares of the
 * largest guesses, and nothing in its figures would tell.
 *
 * @param allowOther whether that is meant
 * @returns each difference as a warning, where it is
 * @throws {ReproError} `frames-differ` with the settings that give the frames of the training
 */
export function refuseOtherFrames(
  trained: TrainedOn,
  index: ClipIndex,
  { source, allowOther }: { readonly source: string; readonly allowOther: boolean },
): string[] {
  const differences = compareFrames(trained, index);
  const lines = differences.map((one) => `${one.key}: ${one.trained} in its training, ${one.here} here`);
  if (differences.length === 0 || allowOther) {
    return lines.map((line) => `These are other frames than it was trained with: ${line}.`);
  }
  const settings = differences
    .filter(({ key }) => key !== 'dataset.name')
    .map(({ key, trained: value }) => `--set ${key}=${value}`);
  const dataset = differences.find(({ key }) => key === 'dataset.name');
  const fixes = [
    ...(dataset === undefined ? [] : [`Choose a profile of ${dataset.trained} with --profile.`]),
    ...(settings.length === 0 ? [] : [`Add ${settings.join(' ')}`]),
    'If other frames are meant, add --other-frames.',
  ];
  throw new ReproError(
    'frames-differ',
    `these are other frames than it was trained with.\n${lines.map((line) => `  ${line}`).join('\n')}`,
    { where: source, fix: fixes.join('\n') },
  );
}

/** A warning where one was trained on real recordings and is shown simulated ones, or the other way round. */
export function warnOfSimulated({ simulated }: TrainedOn, index: ClipIndex): string[] {
  const kind = (isSimulated: boolean): string => (isSimulated ? 'simulated' : 'real');
  return simulated === null || simulated === index.simulated
    ? []
    : [`It was trained on ${kind(simulated)} recordings, and these are ${kind(index.simulated)}.`];
}
