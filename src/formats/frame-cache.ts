import { type Fields, parseFields } from './fields.ts';

/** The files of a frame cache: what the rows are, and the counts of either split, [clips, T, 2, H, W]. */
export const FRAME_CACHE_FILES = { index: 'clips.json', train: 'train.npy', test: 'test.npy' } as const;

/** What to do about a cache whose files do not fit together. */
export const FRAME_CACHE_FIX = 'Make the frames again: `repro run frames --force`.';

const VERSION = 1;
const SPLITS = ['train', 'test'] as const;

/** Types that counts are kept in: the smallest that holds all of a cache. */
export type CountType = 'uint8' | 'uint16' | 'uint32';

/** One row of `train.npy` or `test.npy`. */
export interface CachedClip {
  /** Path of its file in the data set: `user01_led.aedat`, `Train/0/00002.bin`. */
  readonly recording: string;
  /** Number of the person and name of the light; null where a data set knows neither. */
  readonly user: number | null;
  readonly light: string | null;
  /** From 0. */
  readonly class: number;
  /** The clip holds the events with `startUs <= t < endUs`. */
  readonly startUs: number;
  readonly endUs: number;
  /** How many that are: the sum of the row's counts. */
  readonly events: number;
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
  const readClips = (split: string) => splits.objects(split).map((clip) => readClip(clip, classes.length));
  return {
    dataset: fields.text('dataset'),
    simulated: fields.flag('simulated'),
    classes,
    sensor: { height: sensor.count('height'), width: sensor.count('width') },
    frames: {
      steps: frames.count('steps'),
      splitBy: frames.choice('splitBy', ['number', 'time']),
      downsample: frames.count('downsample'),
      height: frames.count('height'),
      width: frames.count('width'),
      dtype: frames.choice('dtype', ['uint8', 'uint16', 'uint32']),
    },
    splits: { train: readClips('train'), test: readClips('test') },
  };
}

function readClip(fields: Fields, classes: number): CachedClip {
  return {
    recording: fields.text('recording'),
    user: fields.has('user') ? fields.count('user') : null,
    light: fields.has('light') ? fields.text('light') : null,
    class: fields.number('class', { min: 0, max: classes - 1, integer: true }),
    startUs: fields.count('startUs'),
    endUs: fields.count('endUs'),
    events: fields.count('events'),
  };
}
