import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ReproError } from '../errors.ts';
import {
  type CachedClip,
  FRAME_CACHE_FILES,
  FRAME_CACHE_FIX,
  parseClipIndex,
} from '../formats/frame-cache.ts';
import type { Baseline, FramesFacts } from './baseline.ts';
import { ClipListDigest } from './clip-list.ts';
import { readResult } from './result-text.ts';

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
  const index = parseClipIndex(await readResult(file, FRAME_CACHE_FIX, readFile(file, 'utf8')), file);
  const factsOf = async (split: 'train' | 'test'): Promise<FramesFacts> => ({
    sha256: await hashFile(path.join(folder, FRAME_CACHE_FILES[split])),
    list: digestClips(index.splits[split]),
    clips: index.splits[split].length,
    events: index.images === undefined ? readEvents(metrics, split) : null,
  });
  const { dataset, simulated } = index;
  return { dataset, simulated, frames: { train: await factsOf('train'), test: await factsOf('test') } };
}

function digestClips(clips: readonly CachedClip[]): string {
  const list = new ClipListDigest();
  for (const { recording, class: label } of clips) list.add(recording, label);
  return list.value;
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
  await readResult(file, FRAME_CACHE_FIX, pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash));
  return hash.digest('hex');
}
