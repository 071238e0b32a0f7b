import { join } from 'node:path';
import { readRegular } from '../base/files/regular-file.ts';
import { openNpy } from '../formats/npy-file.ts';
import { type ClipIndex, FRAME_CACHE_FILES, parseClipIndex } from '../results/clip-index.ts';
import type { TrainedOrder } from '../results/run-file.ts';
import { type ClipSource, clipsOfRows } from './clip-source.ts';
import { assembleFrames, type FrameCache } from './frame-cache.ts';

/**
 * Opens an `.npy` file with `[clips, T, P, H, W]`, from which clips are read one by one: the system keeps in memory what fits.
 *
 * @throws {ReproError} `frames-invalid` if the array has other dimensions or elements
 */
export async function openClipSource(path: string): Promise<ClipSource> {
  return clipsOfRows(await openNpy(path), path);
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
