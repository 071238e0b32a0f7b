import { join } from 'node:path';
import { ReproError } from '../base/errors.ts';
import { readRegular } from '../base/files/regular-file.ts';
import { type Normalisation, normaliseFrames } from '../data/events/frames.ts';
import {
  type CachedClip,
  type ClipIndex,
  FRAME_CACHE_FILES,
  FRAME_CACHE_FIX,
  parseClipIndex,
} from '../results/clip-index.ts';
import { type ClipSource, openClipSource } from './clip-source.ts';
import { imageSource } from './image-source.ts';

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

/**
 * The clips of a source, with their counts normalised as they are read, in single precision; the source does not change.
 *
 * @param clips the durations of each clip's frames, for `frequency`
 */
function normalisedSource(
  source: ClipSource,
  kind: Normalisation,
  clips: readonly Pick<CachedClip, 'durationsUs'>[],
): ClipSource {
  const [, , height, width] = source.shape;
  const length = source.shape.reduce((product, size) => product * size, 1);
  return {
    clips: source.clips,
    shape: source.shape,
    async read(rows) {
      const { shape, data: counts } = await source.read(rows);
      const data = Float32Array.from(counts);
      rows.forEach((row, i) => {
        const durations = clips[row]?.durationsUs;
        normaliseFrames(
          data.subarray(i * length, (i + 1) * length),
          { height, width },
          kind,
          durations === undefined ? null : Float64Array.from(durations),
        );
      });
      return { shape, data };
    },
    close: () => source.close(),
  };
}
