import { SPLITS_BY } from '../thesis/compat.ts';
import { parseResult } from './result-file.ts';
import {
  choice,
  count,
  flag,
  list,
  numbers,
  object,
  optional,
  orNull,
  type Read,
  readShape,
  text,
  texts,
  type Value,
} from './shape.ts';

/** The files of a frame cache: a description of the rows, and the counts of each split, [clips, T, 2, H, W]. */
export const FRAME_CACHE_FILES = { index: 'clips.json', train: 'train.npy', test: 'test.npy' } as const;

/** How to fix a cache whose files do not fit together. */
export const FRAME_CACHE_FIX = 'Make the frames again: `./repro run frames --force`.';

const VERSION = 1;
const SPLITS = ['train', 'test'] as const;

/** How counts are normalised when they are read, named as in the original's arguments. */
export const NORMALIZATIONS = ['frequency', 'max', 'norm', 'sum'] as const;
export type Normalization = (typeof NORMALIZATIONS)[number];

/** How training images are varied, each time one is shown: named after torchvision's transforms. */
export const AUGMENTATIONS = ['none', 'random-affine', 'random-crop-flip'] as const;
export type Augmentation = (typeof AUGMENTATIONS)[number];

/** How still images are shown to a network. */
const preparationShape = {
  /** Per channel, of pixels scaled to 0 to 1: `(x / 255 - mean) / std`. */
  mean: numbers,
  std: numbers,
  /** Of training images only. */
  augmentation: choice(AUGMENTATIONS),
};
export type ImagePreparation = Value<typeof preparationShape>;

/** How the frames were made. */
const frameFormatShape = {
  /** T: frames per clip; 1 for still images, which the network repeats. */
  steps: count,
  /** Null for still images. */
  splitBy: orNull(choice(SPLITS_BY)),
  /** How long each frame lasts, µs; only with `splitBy: duration`. */
  durationUs: optional((fields, name) => fields.number(name, { min: 1, integer: true })),
  /** Pixels binned in each direction. */
  downsample: count,
  height: count,
  width: count,
  dtype: choice(['uint8', 'uint16', 'uint32']),
  /** How to normalise the counts when they are read; the `.npy` files hold plain counts. */
  normalization: orNull(choice(NORMALIZATIONS)),
  /** Whether events marked invalid by the camera were counted; absent in older caches. */
  invalidEvents: optional(choice(['keep', 'drop'])),
  /** Events in two segments went only to the earlier clip; absent if to both. */
  overlaps: optional(choice(['earlier'])),
  /** A pixel's position was y · height + x, as in the original; absent if y · width + x. */
  rowStride: optional(choice(['height'])),
};
export type FrameFormat = Value<typeof frameFormatShape>;

export const frameFormat: Read<FrameFormat> = (fields, name) => {
  const format = readShape(fields.object(name), frameFormatShape);
  if (format.splitBy === 'duration' && format.durationUs === undefined)
    fields.fail(`${name}.durationUs`, 'is missing');
  return format;
};

/** What is known of a clip, in clips.json and of an example. */
export const clipShape = {
  /** Path of its file in the data set: `user01_led.aedat`, `Train/0/00002.bin`. */
  recording: text,
  /** Number of the person and name of the lighting; null if the data set has neither. */
  user: orNull(count),
  light: orNull(text),
  /** From 0. */
  class: count,
  /** The clip holds the events with `startUs <= t < endUs`; null for a still image. */
  startUs: orNull(count),
  endUs: orNull(count),
  /** Number of these events that are in its frames: the sum of the counts; null for a still image. */
  events: orNull(count),
};

/** One row of `train.npy` or `test.npy`. */
const rowShape = {
  ...clipShape,
  /** Index of its recording in the data set's list for the split, from 0; null if there is no list. */
  trial: orNull(count),
  /** Duration of each of its T frames; only present with the normalisation `frequency`, which divides by it. */
  durationsUs: optional(numbers),
};
export type CachedClip = Value<typeof rowShape>;

const shape = {
  dataset: text,
  simulated: flag,
  classes: texts,
  /** The pixels of the camera or of an image. */
  sensor: object({ height: count, width: count }),
  frames: frameFormat,
  /** Only for still images: how to show them. The `.npy` files hold their pixels as published. */
  images: optional(object(preparationShape)),
  splits: object({ train: list(rowShape), test: list(rowShape) }),
};

/** `clips.json`: describes the rows of the `.npy` files beside it. */
export type ClipIndex = Value<typeof shape>;

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
  const fields = parseResult({ file, text, fix: FRAME_CACHE_FIX }, VERSION, 'frames-invalid');
  const index = readShape(fields, shape);
  const { steps, splitBy, normalization } = index.frames;
  if (index.images === undefined && splitBy === null) fields.fail('frames.splitBy', 'is missing');
  for (const split of SPLITS) {
    for (const [row, clip] of index.splits[split].entries()) {
      const fail = (name: string, problem: string) => fields.fail(`splits.${split}[${row}].${name}`, problem);
      if (clip.class >= index.classes.length)
        fail('class', `is ${clip.class} of ${index.classes.length} classes`);
      const durations = clip.durationsUs?.length ?? 0;
      if (normalization === 'frequency' && durations !== steps)
        fail('durationsUs', `has ${durations} numbers for ${steps} frames`);
    }
  }
  return index;
}
