import { join } from 'node:path';
import { readRegular } from '../base/files/regular-file.ts';
import { openNpy } from '../formats/npy-file.ts';
import type { Frames } from '../network/engines/engine.ts';
import { type ClipIndex, FRAME_CACHE_FILES, parseClipIndex } from '../results/clip-index.ts';
import type { TrainedOrder } from '../results/run-file.ts';
import type { ClipSource } from './clip-source.ts';
import { assembleFrames, type FrameCache, invalidFrames } from './frame-cache.ts';

/**
 * Opens an `.npy` file with `[clips, T, P, H, W]`, from which clips are read one by one: the system keeps in memory what fits.
 *
 * @throws {ReproError} `frames-invalid` if the array has other dimensions or elements
 */
export async function openClipSource(path: string): Promise<ClipSource> {
  const reader = await openNpy(path);
  const [clips, steps, channels, height, width] = reader.shape;
  if (clips === undefined || !steps || !channels || !height || !width || reader.shape.length !== 5) {
    await reader.close();
    throw invalidFrames(path, `[${reader.shape.join(', ')}] is not [clips, T, P, H, W]`);
  }
  const shape = [steps, channels, height, width] as const;
  return {
    clips,
    shape,
    async read(rows) {
      const data = await reader.readRows([...rows]);
      if (!isCounts(data)) throw invalidFrames(path, `elements of type ${reader.dtype} are not event counts`);
      return { shape: [rows.length, ...shape], data };
    },
    close: () => reader.close(),
  };
}

/**
 * Opens `artifacts/frames`: clips.json, train.npy and test.npy, as `assembleFrames`.
 *
 * @param chooseUsers whom to test instead of the clips of test.npy, if any
 * @throws {ReproError} `frames-invalid` if the files do not match
 */
export async function openFrameCache(
  folder: string,
  chooseUsers?: (index: ClipIndex) => readonly number[] | undefined,
  frameOrder?: TrainedOrder,
): Promise<FrameCache> {
  const file = join(folder, FRAME_CACHE_FILES.index);
  const index = parseClipIndex((await readRegular(file)).toString('utf8'), file);
  const testUsers = chooseUsers?.(index);
  const train = await openClipSource(join(folder, FRAME_CACHE_FILES.train));
  const test = await openClipSource(join(folder, FRAME_CACHE_FILES.test)).catch(async (error: unknown) => {
    await train.close();
    throw error;
  });
  return assembleFrames({ index, train, test }, file, testUsers, frameOrder);
}

function isCounts(data: unknown): data is Frames['data'] {
  return (
    data instanceof Uint8Array ||
    data instanceof Uint16Array ||
    data instanceof Uint32Array ||
    data instanceof Float32Array
  );
}
