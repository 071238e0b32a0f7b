import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { FRAME_CACHE_FILES, FRAME_CACHE_FIX, parseClipIndex } from '../../results/clip-index.ts';
import { nameUnreadable, type RunFolders, readResultFile, readRunFiles } from '../../results/stage-files.ts';
import { type Baseline, baselinePathOf, type FramesFacts, parseBaseline, type RunFacts } from './baseline.ts';
import { collectRunFacts, digestClips } from './run-facts.ts';

/**
 * Reads the committed baseline of a profile.
 *
 * @param projectRoot absolute
 * @returns null if there is none
 * @throws {ReproError} as `parseBaseline`
 */
export async function readBaseline(projectRoot: string, profile: string): Promise<Baseline | null> {
  const file = baselinePathOf(profile);
  try {
    return parseBaseline(await readFile(path.join(projectRoot, file), 'utf8'), profile, file);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Reads what a baseline keeps of a training and its evaluation. @throws {ReproError} `results-invalid` as `collectRunFacts` */
export async function readRunFacts(
  folders: RunFolders,
  of: Pick<RunFacts, 'model' | 'seed' | 'engine' | 'evaluationEngine'>,
): Promise<RunFacts> {
  const [files, firstBatches] = await Promise.all([
    readRunFiles(folders, of),
    readResultFile(path.join(folders.train, 'first-batches.csv'), `train@${of.model},${of.seed}`),
  ]);
  return collectRunFacts({ ...files, firstBatches }, of);
}

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
  const { file, text } = await readResultFile(path.join(folder, FRAME_CACHE_FILES.index), 'frames');
  const index = parseClipIndex(text, file);
  const factsOf = async (split: 'train' | 'test'): Promise<FramesFacts> => ({
    sha256: await hashFile(path.join(folder, FRAME_CACHE_FILES[split])),
    list: await digestClips(index.splits[split]),
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
    'the record of the stage "frames" has no count of events by polarity.',
    { fix: FRAME_CACHE_FIX },
  );
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await nameUnreadable(file, 'frames', pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash));
  return hash.digest('hex');
}
