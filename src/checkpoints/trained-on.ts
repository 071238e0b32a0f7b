import { ReproError } from '../errors.ts';
import type { Fields } from '../formats/fields.ts';
import {
  type ClipIndex,
  type FrameFormat,
  NORMALIZATIONS,
  type Normalization,
} from '../results/clip-index.ts';
import type { RunFile } from '../results/run-file.ts';
import { escapeControls } from '../text.ts';

/** How frames were made, named as in a profile: `frames.steps` and so on. */
export interface FrameRecipe {
  /** T: frames per clip. */
  readonly steps: number | null;
  readonly splitBy: 'number' | 'time' | 'duration' | null;
  /** How long each frame lasts, µs; only with `splitBy: duration`. */
  readonly durationUs?: number;
  /** Pixels binned in each direction. */
  readonly downsample: number | null;
  readonly normalization: Normalization | 'none' | null;
  readonly invalidEvents: 'keep' | 'drop' | null;
  /** Absent: `both`, and `width`. */
  readonly overlaps?: 'earlier';
  readonly rowStride?: 'height';
}

/** What a state was trained on; null if unknown. */
export interface TrainedOn {
  readonly dataset: string | null;
  readonly simulated: boolean | null;
  readonly frames: FrameRecipe;
}

/** For a state from elsewhere, where at most T is known. */
export function trainedElsewhere(steps: number | null): TrainedOn {
  return {
    dataset: null,
    simulated: null,
    frames: { steps, splitBy: null, downsample: null, normalization: null, invalidEvents: null },
  };
}

/** Reads `dataset`, `simulated` and `frames` from an export's metadata. */
export function readTrainedOn(fields: Fields): TrainedOn {
  const frames = fields.object('frames');
  const count = (name: string): number | null => (frames.has(name) ? frames.count(name) : null);
  const choice = <T extends string>(name: string, choices: readonly T[]): T | null =>
    frames.has(name) ? frames.choice(name, choices) : null;
  return {
    dataset: fields.has('dataset') ? escapeControls(fields.text('dataset')) : null,
    simulated: fields.has('simulated') ? fields.flag('simulated') : null,
    frames: {
      steps: count('steps'),
      splitBy: choice('splitBy', ['number', 'time', 'duration']),
      ...(frames.has('durationUs') ? { durationUs: frames.count('durationUs') } : {}),
      downsample: count('downsample'),
      normalization: choice('normalization', ['none', ...NORMALIZATIONS]),
      invalidEvents: choice('invalidEvents', ['keep', 'drop']),
      ...(frames.has('overlaps') ? { overlaps: frames.choice('overlaps', ['earlier']) } : {}),
      ...(frames.has('rowStride') ? { rowStride: frames.choice('rowStride', ['height']) } : {}),
    },
  };
}

/** What a training of this project was trained on. */
export function trainedHere({ dataset, simulated, frames }: RunFile): TrainedOn {
  return { dataset: escapeControls(dataset), simulated, frames: recipeOf(frames) };
}

function recipeOf(frames: FrameFormat): FrameRecipe {
  const { steps, splitBy, durationUs, downsample, normalization, invalidEvents, overlaps, rowStride } =
    frames;
  return {
    steps,
    splitBy,
    ...(durationUs === undefined ? {} : { durationUs }),
    downsample,
    normalization: normalization ?? 'none',
    invalidEvents: invalidEvents ?? null,
    ...(overlaps === undefined ? {} : { overlaps }),
    ...(rowStride === undefined ? {} : { rowStride }),
  };
}

/** One way in which frames differ from those of the training. */
interface Difference {
  /** Key of the profile. */
  readonly key: string;
  readonly trained: string;
  readonly here: string;
}

/** The known differences between the frames of a training and these. */
function compareFrames(trained: TrainedOn, { dataset, frames }: ClipIndex): Difference[] {
  const here = recipeOf(frames);
  const keys = ['steps', 'splitBy', 'durationUs', 'downsample', 'normalization', 'invalidEvents'] as const;
  // Missing in a recipe that is known means the default; in one that is not, it means nothing.
  const known = trained.frames.splitBy !== null;
  const pairs = [
    ['dataset.name', trained.dataset, dataset] as const,
    ...keys.map((key) => [`frames.${key}`, trained.frames[key] ?? null, here[key] ?? null] as const),
    ...(known
      ? ([
          ['frames.overlaps', trained.frames.overlaps ?? 'both', frames.overlaps ?? 'both'],
          ['frames.rowStride', trained.frames.rowStride ?? 'width', frames.rowStride ?? 'width'],
        ] as const)
      : []),
  ];
  return pairs.flatMap(([key, before, now]) =>
    before === null || now === null || before === now
      ? []
      : [{ key, trained: String(before), here: String(now) }],
  );
}

/**
 * Rejects frames made differently from those of the training: a network that learned from normalised counts only guesses
 * when shown plain ones, and nothing in its figures would reveal it.
 *
 * @param allowOther whether other frames are intended
 * @returns each allowed difference as a warning
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
    return lines.map((line) => `These frames differ from those of its training: ${line}.`);
  }
  const settings = differences
    .filter(({ key }) => key !== 'dataset.name')
    .map(({ key, trained: value }) => `--set ${key}=${value}`);
  const dataset = differences.find(({ key }) => key === 'dataset.name');
  const fixes = [
    ...(dataset === undefined ? [] : [`Choose a profile for ${dataset.trained} with --profile.`]),
    ...(settings.length === 0 ? [] : [`Add ${settings.join(' ')}`]),
    'To use these frames anyway, add --other-frames.',
  ];
  throw new ReproError(
    'frames-differ',
    `these frames differ from those of its training.\n${lines.map((line) => `  ${line}`).join('\n')}`,
    { where: source, fix: fixes.join('\n') },
  );
}

/** A warning if it was trained on real recordings and these are simulated, or the other way round. */
export function warnOfSimulated({ simulated }: TrainedOn, index: ClipIndex): string[] {
  const kind = (isSimulated: boolean): string => (isSimulated ? 'simulated' : 'real');
  return simulated === null || simulated === index.simulated
    ? []
    : [`It was trained on ${kind(simulated)} recordings, but these are ${kind(index.simulated)}.`];
}
