import { type Fields, parseFields } from './fields.ts';

/** The files of a frame cache: what the rows are, and the counts of either split, [clips, T, 2, H, W]. */
export const FRAME_CACHE_FILES = { index: 'clips.json', train: 'train.npy', test: 'test.npy' } as const;

/** What to do about a cache whose files do not fit together. */
export const FRAME_CACHE_FIX = 'Make the frames again: `repro run frames --force`.';

const VERSION = 1;
const SPLITS = ['train', 'test'] as const;

/** Types that counts are kept in: the smallest that holds all of a cache. */
export type CountType = 'uint8' | 'uint16' | 'uint32';

/** What counts are divided by when they are read, named as in the original's arguments. */
export const NORMALIZATIONS = ['frequency', 'max', 'norm', 'sum'] as const;
export type Normalization = (typeof NORMALIZATIONS)[number];

/** One row of `train.npy` or `test.npy`. */
export interface CachedClip {
  /** Path of its file in the data set: `user01_led.aedat`, `Train/0/00002.bin`. */
  readonly recording: string;
  /** Number of the person and name of the light; null where a data set knows neither. */
  readonly user: number | null;
  readonly light: string | null;
  /** Place of its recording in the data set's list of the split, from 0, as the file lists them; null where there is no list. */
  readonly trial: number | null;
  /** From 0. */
  readonly class: number;
  /** The clip holds the events with `startUs <= t < endUs`. */
  readonly startUs: number;
  readonly endUs: number;
  /** How many that are: the sum of the row's counts. */
  readonly events: number;
  /** How long each of its T frames lasts; only where frames are normalised by `frequency`, which divides by it. */
  readonly durationsUs?: readonly number[];
}

/** `clips.json`: what the rows of the `.npy` files beside it are. */
export interface ClipIndex {
  readonly dataset: string;
  readonly simulated: boolean;
  readonly classes: readonly string[];
  /** Pixels of the camera. */
  readonly sensor: { readonly height: number; readonly width: number };
  readonly frames: {
    /** T: frames a clip. */
    readonly steps: number;
    readonly splitBy: 'number' | 'time';
    /** Pixels binned in each direction. */
    readonly downsample: number;
    readonly height: number;
    readonly width: number;
    readonly dtype: CountType;
    /** What the counts are to be normalised by when they are read; the `.npy` files hold them as they were counted. */
    readonly normalization: Normalization | null;
    /** Whether events that the camera marked as invalid were counted; a cache may be older than this. */
    readonly invalidEvents?: 'keep' | 'drop';
  };
  readonly splits: Readonly<Record<(typeof SPLITS)[number], readonly CachedClip[]>>;
}

/** The text of `clips.json`, one clip a line: a person can read it, and a difference shows the clip. */
export function formatClipIndex({ splits, ...head }: ClipIndex): string {
  const text = JSON.stringify({ version: VERSION, ...head }, null, 1).replace(/\n}$/, '');
  const lists = SPLITS.map((split) => {
    const lines = splits[split].map((clip) => `   ${JSON.stringify(clip)}`).join(',\n');
    return `  "${split}": [\n${lines}\n  ]`;
  });
  return `${text},\n "splits": {\n${lists.join(',\n')}\n }\n}\n`;
}

/**
 * Reads `clips.json` with every field checked.
 *
 * @param file name for messages
 * @throws {ReproError} `frames-invalid`, with the field, what it should be and what it is
 */
export function parseClipIndex(text: string, file: string): ClipIndex {
  const fields = parseFields(text, { file, code: 'frames-invalid', fix: FRAME_CACHE_FIX });
  const version = fields.count('version');
  if (version !== VERSION) fields.fail('version', `is ${version}, and only ${VERSION} is read here`);
  const classes = fields.texts('classes');
  const sensor = fields.object('sensor');
  const frames = fields.object('frames');
  const splits = fields.object('splits');
  const normalization = frames.has('normalization') ? frames.choice('normalization', NORMALIZATIONS) : null;
  const steps = frames.count('steps');
  const durations = normalization === 'frequency' ? steps : null;
  const readClips = (split: string) =>
    splits.objects(split).map((clip) => readClip(clip, { classes: classes.length, durations }));
  return {
    dataset: fields.text('dataset'),
    simulated: fields.flag('simulated'),
    classes,
    sensor: { height: sensor.count('height'), width: sensor.count('width') },
    frames: {
      steps,
      splitBy: frames.choice('splitBy', ['number', 'time']),
      downsample: frames.count('downsample'),
      height: frames.count('height'),
      width: frames.count('width'),
      dtype: frames.choice('dtype', ['uint8', 'uint16', 'uint32']),
      normalization,
      ...(frames.has('invalidEvents')
        ? { invalidEvents: frames.choice('invalidEvents', ['keep', 'drop']) }
        : {}),
    },
    splits: { train: readClips('train'), test: readClips('test') },
  };
}

/** @param expected `durations`: how many frames have one, or null where none is kept */
function readClip(
  fields: Fields,
  expected: { readonly classes: number; readonly durations: number | null },
): CachedClip {
  return {
    recording: fields.text('recording'),
    user: fields.has('user') ? fields.count('user') : null,
    light: fields.has('light') ? fields.text('light') : null,
    trial: fields.has('trial') ? fields.count('trial') : null,
    class: fields.number('class', { min: 0, max: expected.classes - 1, integer: true }),
    startUs: fields.count('startUs'),
    endUs: fields.count('endUs'),
    events: fields.count('events'),
    ...(expected.durations === null ? {} : { durationsUs: readDurations(fields, expected.durations) }),
  };
}

function readDurations(fields: Fields, steps: number): number[] {
  const durations = fields.numbers('durationsUs');
  if (durations.length !== steps)
    fields.fail('durationsUs', `has ${durations.length} numbers for ${steps} frames`);
  return durations;
}
