import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeNpy } from '../../formats/npy.ts';
import {
  type CachedClip,
  type ClipIndex,
  FRAME_CACHE_FILES,
  formatClipIndex,
} from '../../results/clip-index.ts';
import { SPLITS, type Split } from '../contract/clips.ts';
import type { ImageDataset } from '../contract/dataset.ts';
import { limitPerClass } from './frame-settings.ts';

interface WriteImagesOptions {
  readonly dataset: ImageDataset;
  readonly root: string;
  /** The folder to create, with the files in `FRAME_CACHE_FILES`. */
  readonly output: string;
  /** Images per class, the first in file order; default all. */
  readonly limit?: { readonly train?: number; readonly test?: number } | undefined;
  /** T, into which readers split the rows; default: a still image. The check of the configuration has made sure that it divides the height. */
  readonly steps?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Writes images as a frame cache: `.npy` files of pixels as published, [images, 1, C, H, W] uint8, and `clips.json`.
 * The largest of these data sets, CIFAR10, has 184 MB; it is kept in memory.
 *
 * @throws {ReproError} `data-missing` or `data-corrupt` from the data set
 */
export async function writeImages(options: WriteImagesOptions): Promise<ClipIndex> {
  const { dataset, root, output, limit, steps, signal, progress } = options;
  const { channels, height, width } = dataset.facts.image;
  const length = channels * height * width;
  const images = await dataset.readImages(root, { simulated: false, signal, progress });
  await mkdir(output, { recursive: true });
  const rows: Record<Split, CachedClip[]> = { train: [], test: [] };
  for (const split of SPLITS) {
    signal?.throwIfAborted();
    const { pixels, labels } = images[split];
    const kept = limitPerClass(labels, limit?.[split]);
    const data = new Uint8Array(kept.length * length);
    for (const [row, image] of kept.entries()) {
      data.set(pixels.subarray(image * length, (image + 1) * length), row * length);
    }
    const bytes = encodeNpy({ dtype: 'uint8', shape: [kept.length, 1, channels, height, width], data });
    await writeFile(path.join(output, FRAME_CACHE_FILES[split]), bytes);
    rows[split] = kept.map((image) => describeImage(split, image, labels[image]!));
  }
  const index: ClipIndex = {
    dataset: dataset.facts.name,
    simulated: false,
    classes: dataset.facts.classes,
    sensor: { height, width },
    frames: {
      ...(steps === undefined ? { steps: 1, splitBy: null } : { steps, splitBy: 'rows' }),
      ...{ downsample: 1, height: height / (steps ?? 1), width, dtype: 'uint8', normalization: null },
    },
    images: dataset.facts.preparation,
    splits: rows,
  };
  await writeFile(path.join(output, FRAME_CACHE_FILES.index), formatClipIndex(index));
  return index;
}

function describeImage(split: Split, image: number, label: number): CachedClip {
  return {
    recording: `${split}/${image}`,
    user: null,
    light: null,
    trial: null,
    class: label,
    startUs: null,
    endUs: null,
    events: null,
  };
}
