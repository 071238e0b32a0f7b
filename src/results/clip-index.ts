import * as v from 'valibot';
import { count, numbers, positive, type Value } from '../base/files/shape.ts';
import { readResult, refuse } from './result-file.ts';
import { SPLITS_BY } from './thesis/compat.ts';

/** The files of a frame cache: a description of the rows, and the counts of each split, [clips, T, 2, H, W]. */
export const FRAME_CACHE_FILES = { index: 'clips.json', train: 'train.npy', test: 'test.npy' } as const;

/** How to fix a cache whose files do not fit together. */
export const FRAME_CACHE_FIX = 'Make the frames again: `./repro run frames --force`.';

const VERSION = 1;
const SPLITS = ['train', 'test'] as const;

/** How counts are normalised when they are read, named as in the original's arguments. */
const NORMALIZATIONS = ['frequency', 'max', 'norm', 'sum'] as const;
export type Normalization = (typeof NORMALIZATIONS)[number];

/** How training images are varied, each time one is shown: named after torchvision's transforms. */
export const AUGMENTATIONS = ['none', 'random-affine', 'random-crop-flip'] as const;
export type Augmentation = (typeof AUGMENTATIONS)[number];

/** How images are shown to a network. */
const preparationShape = v.object({
  /** Per channel, of pixels scaled to 0 to 1: `(x / 255 - mean) / std`. */
  mean: numbers,
  std: numbers,
  /** Of training images only. */
  augmentation: v.picklist(AUGMENTATIONS),
});
export type ImagePreparation = Value<typeof preparationShape>;

/** How the frames were made. */
export const frameFormat = v.pipe(
  v.object({
    /** T: frames per clip; 1 for still images, which the network repeats. */
    steps: count,
    /** `rows`: images cut into T strips of rows, top to bottom. Null for still images. */
    splitBy: v.nullish(v.picklist([...SPLITS_BY, 'rows']), null),
    /** How long each frame lasts, µs; only with `splitBy: duration`. */
    durationUs: v.exactOptional(positive),
    /** The first frame begins at time 0 of the file; absent if at the first event. */
    from: v.exactOptional(v.picklist(['file'])),
    /** Pixels binned in each direction. */
    downsample: count,
    height: count,
    width: count,
    dtype: v.picklist(['uint8', 'uint16', 'uint32']),
    /** How to normalise the counts when they are read; the `.npy` files hold plain counts. */
    normalization: v.nullish(v.picklist(NORMALIZATIONS), null),
    /** Whether events marked invalid by the camera were counted; absent in older caches. */
    invalidEvents: v.exactOptional(v.picklist(['keep', 'drop'])),
    /** Events in two segments went only to the earlier clip; absent if to both. */
    overlaps: v.exactOptional(v.picklist(['earlier'])),
    /** A pixel's position was y · height + x, as in the original; absent if y · width + x. */
    rowStride: v.exactOptional(v.picklist(['height'])),
  }),
  v.check(
    ({ splitBy, durationUs }) => splitBy !== 'duration' || durationUs !== undefined,
    'has no "durationUs"',
  ),
);
export type FrameFormat = Value<typeof frameFormat>;

/** What is known of a clip, in clips.json and of an example. */
export const clipShape = v.object({
  /** Path of its file in the data set: `user01_led.aedat`, `Train/0/00002.bin`. */
  recording: v.string(),
  /** Number of the person and name of the lighting; null if the data set has neither. */
  user: v.nullish(count, null),
  light: v.nullish(v.string(), null),
  /** From 0. */
  class: count,
  /** The clip holds the events with `startUs <= t < endUs`; null for a still image. */
  startUs: v.nullish(count, null),
  endUs: v.nullish(count, null),
  /** Number of these events that are in its frames: the sum of the counts; null for a still image. */
  events: v.nullish(count, null),
});

/** One row of `train.npy` or `test.npy`. */
const rowShape = v.object({
  ...clipShape.entries,
  /** Index of its recording in the data set's list for the split, from 0; null if there is no list. */
  trial: v.nullish(count, null),
  /** Duration of each of its T frames; only present with the normalisation `frequency`, which divides by it. */
  durationsUs: v.exactOptional(numbers),
});
export type CachedClip = Value<typeof rowShape>;

const shape = v.object({
  dataset: v.string(),
  simulated: v.boolean(),
  classes: v.array(v.string()),
  /** The pixels of the camera or of an image. */
  sensor: v.object({ height: count, width: count }),
  frames: frameFormat,
  /** Only for images: how to show them. The `.npy` files hold their pixels as published, [images, 1, C, H, W]. */
  images: v.exactOptional(preparationShape),
  splits: v.object({ train: v.array(rowShape), test: v.array(rowShape) }),
});

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
  const from = { file, text, fix: FRAME_CACHE_FIX, code: 'frames-invalid' };
  const index = readResult(from, shape, VERSION);
  const { steps, splitBy, normalization } = index.frames;
  if (index.images === undefined && splitBy === null) refuse(from, 'field "frames.splitBy" is missing');
  for (const split of SPLITS) {
    for (const [row, clip] of index.splits[split].entries()) {
      const fail = (name: string, problem: string) =>
        refuse(from, `field "splits.${split}[${row}].${name}" ${problem}`);
      if (clip.class >= index.classes.length)
        fail('class', `is ${clip.class} of ${index.classes.length} classes`);
      const durations = clip.durationsUs?.length ?? 0;
      if (normalization === 'frequency' && durations !== steps)
        fail('durationsUs', `has ${durations} numbers for ${steps} frames`);
    }
  }
  return index;
}
