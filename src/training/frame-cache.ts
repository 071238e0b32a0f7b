import { ReproError } from '../base/errors.ts';
import { type Normalisation, normaliseFrames } from '../data/events/frames.ts';
import { type CountType, newNpyData } from '../formats/npy.ts';
import { countElements } from '../formats/tensor.ts';
import {
  type CachedClip,
  type ClipIndex,
  FRAME_CACHE_FILES,
  FRAME_CACHE_FIX,
} from '../results/clip-index.ts';
import type { TrainedOrder } from '../results/run-file.ts';
import { type ClipSource, reorderFrames } from './clip-source.ts';
import { imageSource } from './image-source.ts';

/** The frames of both splits as a network sees them, and their index. */
export interface FrameCache {
  readonly index: ClipIndex;
  readonly train: ClipSource;
  readonly test: ClipSource;
  /** The clips of `train` to learn from or to hold back, and those of `test` to test. */
  readonly rows: Readonly<Record<'train' | 'test', Int32Array>>;
  /**
   * The people to test, if they were chosen. Then `train` and `test` both have all clips, those of train.npy first, and so does each of
   * `index.splits`: a clip has the same row whoever is tested.
   */
  readonly testUsers?: readonly number[];
  /** [P, H, W] of one frame. */
  readonly input: readonly [number, number, number];
  close(): Promise<void>;
}

/**
 * The frames of both splits as a network sees them. If clips.json asks for a normalisation, frames are normalised as they are read; images
 * always are.
 *
 * @param stored the content of clips.json, and the clips of the `.npy` files
 * @param file the name of clips.json in messages
 * @param testUsers whom to test instead of the clips of test.npy, if any
 * @param frameOrder in which networks see the frames of each clip; undefined: as recorded
 * @throws {ReproError} `frames-invalid` if the files do not match; the sources are closed then
 */
export async function assembleFrames(
  stored: Pick<FrameCache, 'index' | 'train' | 'test'>,
  file: string,
  testUsers?: readonly number[],
  frameOrder?: TrainedOrder,
): Promise<FrameCache> {
  const { index, train, test } = stored;
  const close = async (): Promise<void> => {
    await train.close();
    await test.close();
  };
  const { images, splits } = index;
  const { steps, height, width, normalization } = index.frames;
  const [, channels] = train.shape;
  // Of images, the files hold whole ones.
  const shape = (
    images === undefined ? [steps, channels, height, width] : [1, channels, steps * height, width]
  ).join(', ');
  for (const [name, source] of [
    ['train', train],
    ['test', test],
  ] as const) {
    const listed = index.splits[name].length;
    const found = source.shape.join(', ');
    if (source.clips !== listed || found !== shape) {
      await close();
      throw invalidFrames(
        file,
        `${FRAME_CACHE_FILES[name]} has ${source.clips} clips of [${found}], expected ${listed} of [${shape}]`,
      );
    }
  }
  const shown = (source: ClipSource, clips: readonly CachedClip[]): ClipSource => {
    const frames =
      images !== undefined
        ? imageSource(source, images, file, steps)
        : normalization === null
          ? source
          : normalisedSource(source, normalization, clips);
    return frameOrder === undefined ? frames : reorderFrames(frames, frameOrder);
  };
  const common = { input: [channels, height, width], close } as const;
  if (testUsers === undefined)
    return {
      ...{ ...common, index, train: shown(train, splits.train), test: shown(test, splits.test) },
      rows: { train: Int32Array.from(splits.train.keys()), test: Int32Array.from(splits.test.keys()) },
    };
  const clips = [...splits.train, ...splits.test];
  const all = shown(joinSources(train, test, index.frames.dtype), clips);
  const rowsOf = (tested: boolean) =>
    Int32Array.from(clips.keys()).filter((row) => testUsers.includes(clips[row]!.user!) === tested);
  return {
    ...{ ...common, index: { ...index, splits: { train: clips, test: clips } }, train: all, test: all },
    ...{ rows: { train: rowsOf(false), test: rowsOf(true) }, testUsers },
  };
}

/** The clips of one source, then those of another. */
function joinSources(first: ClipSource, second: ClipSource, dtype: CountType): ClipSource {
  const { shape } = first;
  const length = countElements(shape);
  return {
    clips: first.clips + second.clips,
    shape,
    async read(rows) {
      const data = newNpyData(dtype, rows.length * length);
      for (const [at, row] of rows.entries()) {
        const one =
          row < first.clips ? first.read(Int32Array.of(row)) : second.read(Int32Array.of(row - first.clips));
        data.set((await one).data, at * length);
      }
      return { shape: [rows.length, ...shape], data };
    },
    close: async () => {},
  };
}

/** The class of each clip, [clips]. */
export function labelsOf(clips: readonly CachedClip[]): Int32Array {
  return Int32Array.from(clips, (clip) => clip.class);
}

export function invalidFrames(where: string, problem: string): ReproError {
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
