import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hasErrorCode, ReproError } from '../errors.ts';
import { FRAME_CACHE_FILES, FRAME_CACHE_FIX, parseClipIndex } from '../formats/frame-cache.ts';
import type { Baseline, FramesFacts } from './baseline.ts';

/**
 * Reads which frames the stage `frames` left.
 *
 * @param metrics of its record: `events.off.train`, … unless the data are still images
 * @throws {ReproError} `frames-invalid` or `results-invalid` naming the file
 */
export async function readFramesFacts(
  folder: string,
  metrics: { readonly [name: string]: unknown },
): Promise<Pick<Baseline, 'dataset' | 'simulated' | 'frames'>> {
  const file = path.join(folder, FRAME_CACHE_FILES.index);
  const index = parseClipIndex(await orMissing(file, readFile(file, 'utf8')), file);
  const factsOf = async (split: 'train' | 'test'): Promise<FramesFacts> => ({
    sha256: await hashFile(path.join(folder, FRAME_CACHE_FILES[split])),
    clips: index.splits[split].length,
    events: index.images === undefined ? readEvents(metrics, split) : null,
  });
  const { dataset, simulated } = index;
  return { dataset, simulated, frames: { train: await factsOf('train'), test: await factsOf('test') } };
}

function readEvents(
  metrics: { readonly [name: string]: unknown },
  split: string,
): { off: number; on: number } {
  const [off, on] = ['off', 'on'].map((polarity) => metrics[`events.${polarity}.${split}`]);
  if (typeof off === 'number' && typeof on === 'number') return { off, on };
  throw new ReproError(
    'results-invalid',
    `the record of the stage "frames" has no count of events by polarity.`,
    {
      fix: FRAME_CACHE_FIX,
    },
  );
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await orMissing(file, pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash));
  return hash.digest('hex');
}

async function orMissing<T>(file: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    const problem = hasErrorCode(cause, 'ENOENT') ? 'is missing.' : `cannot be read: ${String(cause)}`;
    throw new ReproError('results-invalid', problem, { where: file, fix: FRAME_CACHE_FIX, cause });
  }
}
