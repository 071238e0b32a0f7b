import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hasErrorCode } from '../../base/errors.ts';
import { FRAME_CACHE_FILES, parseClipIndex } from '../../results/clip-index.ts';
import { parseTable } from '../../results/result-file.ts';
import {
  nameUnreadable,
  type RunFolders,
  readResultBytes,
  readResultFile,
  readRunFiles,
} from '../../results/stage-files.ts';
import {
  answersPathOf,
  type Baseline,
  baselinePathOf,
  type KeptAnswers,
  parseBaseline,
  type RunFacts,
} from './baseline.ts';
import { collectFramesFacts, collectRunFacts } from './run-facts.ts';

/**
 * Reads the committed baseline of a profile.
 *
 * @param projectRoot absolute
 * @returns null if there is none
 * @throws {ReproError} as `parseBaseline`
 */
export async function readBaseline(projectRoot: string, profile: string): Promise<Baseline | null> {
  const file = baselinePathOf(profile);
  const text = await readIfThere(path.join(projectRoot, file));
  return text === null
    ? null
    : parseBaseline(text, profile, file, await readKeptAnswers(projectRoot, profile));
}

/** None if the committed result of a profile has no answers. @throws {ReproError} `results-invalid` naming line and column */
export async function readKeptAnswers(projectRoot: string, profile: string): Promise<KeptAnswers> {
  const file = answersPathOf(profile);
  const text = await readIfThere(path.join(projectRoot, file));
  if (text === null) return new Map();
  const { columns, rows } = parseTable({ file, text, fix: 'Restore it from git.' }, [
    'clip',
    'user',
    'class',
  ]);
  return new Map(
    [...columns].map((column) => [
      column,
      rows.flatMap((row) => (row.text(column) === '0' ? [row.count('clip')] : [])),
    ]),
  );
}

function readIfThere(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT')) return null;
    throw error;
  });
}

/** Reads what a baseline keeps of a training and its evaluation. @throws {ReproError} `results-invalid` as `collectRunFacts` */
export async function readRunFacts(
  folders: RunFolders,
  of: Pick<RunFacts, 'model' | 'seed' | 'engine' | 'evaluationEngine'>,
): Promise<RunFacts> {
  const instance = `train@${of.model},${of.seed}`;
  const [files, firstBatches, weights] = await Promise.all([
    readRunFiles(folders, of),
    readResultFile(path.join(folders.train, 'first-batches.csv'), instance),
    readResultBytes(path.join(folders.train, 'best.safetensors'), instance),
  ]);
  return collectRunFacts({ ...files, firstBatches }, weights, of);
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
  const factsOf = async (split: 'train' | 'test') =>
    collectFramesFacts(index, split, await hashFile(path.join(folder, FRAME_CACHE_FILES[split])), metrics);
  const { dataset, simulated } = index;
  return { dataset, simulated, frames: { train: await factsOf('train'), test: await factsOf('test') } };
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await nameUnreadable(file, 'frames', pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash));
  return hash.digest('hex');
}
