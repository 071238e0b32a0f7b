import { join } from 'node:path';
import { ReproError } from '../errors.ts';
import { readRegular } from '../files/regular-file.ts';
import {
  type CachedClip,
  type ClipIndex,
  FRAME_CACHE_FILES,
  FRAME_CACHE_FIX,
  parseClipIndex,
} from '../results/clip-index.ts';
import { type ClipSource, openClipSource } from './clip-source.ts';
import { imageSource } from './image-source.ts';
import { normalisedSource } from './normalised-source.ts';

/** The frames of both splits as a network sees them, and their index. */
export interface FrameCache {
  readonly index: ClipIndex;
  readonly train: ClipSource;
  readonly test: ClipSource;
  /** [P, H, W] of one frame. */
  readonly input: readonly [number, number, number];
  close(): Promise<void>;
}

/**
 * Opens `artifacts/frames`: clips.json, train.npy and test.npy. If clips.json asks for a normalisation, frames are normalised as
 * they are read; still images always are.
 *
 * @throws {ReproError} `frames-invalid` if the files do not match
 */
export async function openFrameCache(folder: string): Promise<FrameCache> {
  const file = join(folder, FRAME_CACHE_FILES.index);
  const index = parseClipIndex((await readRegular(file)).toString('utf8'), file);
  const train = await openClipSource(join(folder, FRAME_CACHE_FILES.train));
  const test = await openClipSource(join(folder, FRAME_CACHE_FILES.test)).catch(async (error: unknown) => {
    await train.close();
    throw error;
  });
  const close = async (): Promise<void> => {
    await train.close();
    await test.close();
  };
  const { steps, height, width } = index.frames;
  const [, channels] = train.shape;
  const shape = [steps, channels, height, width].join(', ');
  for (const [name, source] of [
    ['train', train],
    ['test', test],
  ] as const) {
    const listed = index.splits[name].length;
    const found = source.shape.join(', ');
    if (source.clips !== listed || found !== shape) {
      await close();
      throw invalid(
        file,
        `${FRAME_CACHE_FILES[name]} has ${source.clips} clips of [${found}], expected ${listed} of [${shape}]`,
      );
    }
  }
  const { images } = index;
  const { normalization } = index.frames;
  const shown = (source: ClipSource, split: 'train' | 'test'): ClipSource => {
    if (images !== undefined) return imageSource(source, images, file);
    return normalization === null ? source : normalisedSource(source, normalization, index.splits[split]);
  };
  return {
    index,
    train: shown(train, 'train'),
    test: shown(test, 'test'),
    input: [channels, height, width],
    close,
  };
}

/** The class of each clip, [clips]. */
export function labelsOf(clips: readonly CachedClip[]): Int32Array {
  return Int32Array.from(clips, (clip) => clip.class);
}

function invalid(where: string, problem: string): ReproError {
  return new ReproError('frames-invalid', `${problem}.`, { where, fix: FRAME_CACHE_FIX });
}
