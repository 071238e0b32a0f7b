import { type Fields, parseFields } from '../formats/fields.ts';
import type { CountType } from '../formats/npy.ts';
import { SPLITS_BY, type SplitBy } from '../thesis/compat.ts';

/** The files of a frame cache: a description of the rows, and the counts of each split, [clips, T, 2, H, W]. */
export const FRAME_CACHE_FILES = { index: 'clips.json', train: 'train.npy', test: 'test.npy' } as const;

/** How to fix a cache whose files do not fit together. */
export const FRAME_CACHE_FIX = 'Make the frames again: `repro run frames --force`.';

const VERSION = 1;
const SPLITS = ['train', 'test'] as const;

/** How counts are normalised when they are read, named as in the original's arguments. */
export const NORMALIZATIONS = ['frequency', 'max', 'norm', 'sum'] as const;
export type Normalization = (typeof NORMALIZATIONS)[number];

/** How training images are varied, each time one is shown: named after torchvision's transforms. */
export const AUGMENTATIONS = ['none', 'random-affine', 'random-crop-flip'] as const;
export type Augmentation = (typeof AUGMENTATIONS)[number];

/** How still images are shown to a network. */
export interface ImagePreparation {
  /** Per channel, of pixels scaled to 0 to 1: `(x / 255 - mean) / std`. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Of training images only. */
  readonly augmentation: Augmentation;
}

/** One row of `train.npy` or `test.npy`. */
export interface CachedClip {
  /** Path of its file in the data set: `user01_led.aedat`, `Train/0/00002.bin`. */
  readonly recording: string;
  /** Number of the person and name of the lighting; null if the data set has neither. */
  readonly user: number | null;
  readonly light: string | null;
  /** Index of its recording in the data set's list for the split, from 0; null if there is no list. */
  readonly trial: number | null;
  /** From 0. */
  readonly class: number;
  /** The clip holds the events with `startUs <= t < endUs`; null for a still image. */
  readonly startUs: number | null;
  readonly endUs: number | null;
  /** Number of these events that are in its frames: the sum of the row's counts; null for a still image. */
  readonly events: number | null;
  /** Duration of each of its T frames; only present with the normalisation `frequency`, which divides by it. */
  readonly durationsUs?: readonly number[];
}

/** How the frames were made. */
export interface FrameFormat {
  /** T: frames per clip; 1 for still images, which the network repeats. */
  readonly steps: number;
  /** Null for still images. */
  readonly splitBy: SplitBy | null;
  /** How long each frame lasts, µs; only with `splitBy: duration`. */
  readonly durationUs?: number;
  /** Pixels binned in each direction. */
  readonly downsample: number;
  readonly height: number;
  readonly width: number;
  readonly dtype: CountType;
  /** How to normalise the counts when they are read; the `.npy` files hold plain counts. */
  readonly normalization: Normalization | null;
  /** Whether events marked invalid by the camera were counted; absent in older caches. */
  readonly invalidEvents?: 'keep' | 'drop';
  /** Events in two segments went only to the earlier clip; absent if to both. */
  readonly overlaps?: 'earlier';
  /** A pixel's position was y · height + x, as in the original; absent if y · width + x. */
  readonly rowStride?: 'height';
}

/** `clips.json`: describes the rows of the `.npy` files beside it. */
export interface ClipIndex {
  readonly dataset: string;
  readonly simulated: boolean;
  readonly classes: readonly string[];
  /** The pixels of the camera or of an image. */
  readonly sensor: { readonly height: number; readonly width: number };
  readonly frames: FrameFormat;
  /** Only for still images: how to show them. The `.npy` files hold their pixels as published. */
  readonly images?: ImagePreparation;
  readonly splits: Readonly<Record<(typeof SPLITS)[number], readonly CachedClip[]>>;
}

/** Formats `clips.json` with one clip per line, so that it is readable and a diff shows the clip. */
export function formatClipIndex({ splits, ...head }: ClipIndex): string {
  const text = JSON.stringify({ version: VERSION, ...head }, null, 1).replace(/\n}$/, '');
  const lists = SPLITS.map((split) => {
    const lines = splits[split].map((clip) => `   ${JSON.stringify(clip)}`).join(',\n');
    return `  "${split}": [\n${lines}\n  ]`;
  });
  return `${text},\n "splits": {\n${lists.join(',\n')}\n }\n}\n`;
}

/**
 * Reads `clips.json`, checking every field.
 *
 * @param file name for messages
 * @throws {ReproError} `frames-invalid`, with the field, what was expected and what was found
 */
export function parseClipIndex(text: string, file: string): ClipIndex {
  const fields = parseFields(text, { file, code: 'frames-invalid', fix: FRAME_CACHE_FIX });
  const version = fields.count('version');
  if (version !== VERSION) fields.fail('version', `is ${version}, expected ${VERSION}`);
  const classes = fields.texts('classes');
  const sensor = fields.object('sensor');
  const splits = fields.object('splits');
  const images = fields.has('images') ? readPreparation(fields.object('images')) : undefined;
  const format = readFrameFormat(fields.object('frames'));
  if (images === undefined && format.splitBy === null) fields.fail('frames.splitBy', 'is missing');
  const durations = format.normalization === 'frequency' ? format.steps : null;
  const readClips = (split: string) =>
    splits.objects(split).map((clip) => readClip(clip, { classes: classes.length, durations }));
  return {
    dataset: fields.text('dataset'),
    simulated: fields.flag('simulated'),
    classes,
    sensor: { height: sensor.count('height'), width: sensor.count('width') },
    frames: format,
    ...(images === undefined ? {} : { images }),
    splits: { train: readClips('train'), test: readClips('test') },
  };
}

/** The frames of `clips.json`, and of a training on them. Still images are not split: `splitBy` is null. */
export function readFrameFormat(fields: Fields): FrameFormat {
  const splitBy = fields.has('splitBy') ? fields.choice('splitBy', SPLITS_BY) : null;
  return {
    steps: fields.count('steps'),
    splitBy,
    ...(splitBy === 'duration' ? { durationUs: fields.number('durationUs', { min: 1, integer: true }) } : {}),
    downsample: fields.count('downsample'),
    height: fields.count('height'),
    width: fields.count('width'),
    dtype: fields.choice('dtype', ['uint8', 'uint16', 'uint32']),
    normalization: fields.has('normalization') ? fields.choice('normalization', NORMALIZATIONS) : null,
    ...(fields.has('invalidEvents')
      ? { invalidEvents: fields.choice('invalidEvents', ['keep', 'drop']) }
      : {}),
    ...(fields.has('overlaps') ? { overlaps: fields.choice('overlaps', ['earlier']) } : {}),
    ...(fields.has('rowStride') ? { rowStride: fields.choice('rowStride', ['height']) } : {}),
  };
}

function readPreparation(fields: Fields): ImagePreparation {
  return {
    mean: fields.numbers('mean'),
    std: fields.numbers('std'),
    augmentation: fields.choice('augmentation', AUGMENTATIONS),
  };
}

/** @param expected `durations`: how many to expect, or null if the cache has none */
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
    startUs: fields.has('startUs') ? fields.count('startUs') : null,
    endUs: fields.has('endUs') ? fields.count('endUs') : null,
    events: fields.has('events') ? fields.count('events') : null,
    ...(expected.durations === null ? {} : { durationsUs: readDurations(fields, expected.durations) }),
  };
}

function readDurations(fields: Fields, steps: number): number[] {
  const durations = fields.numbers('durationsUs');
  if (durations.length !== steps)
    fields.fail('durationsUs', `has ${durations.length} numbers for ${steps} frames`);
  return durations;
}
