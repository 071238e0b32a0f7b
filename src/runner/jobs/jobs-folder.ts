import { type Dirent, readdirSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../errors.ts';
import type { CacheFolder } from '../store/cache-folder.ts';
import { BatchFolder, removedSuffix, type SubmittedBatch } from './batch.ts';
import { unreadable } from './state-file.ts';
import { hasEnded } from './task-end.ts';

/** Batches, the earliest first, and what is wrong with the others. */
interface FoundBatches {
  readonly batches: readonly SubmittedBatch[];
  /** One for each batch that cannot be read. */
  readonly problems: readonly ReproError[];
}

/** All readable batches below the cache's folder of jobs, and the problems with the others. */
export function findBatches(jobs: string): FoundBatches {
  const batches: SubmittedBatch[] = [];
  const problems: ReproError[] = [];
  const take = (look: () => void): void => {
    try {
      look();
    } catch (error) {
      if (!(error instanceof ReproError)) throw error;
      problems.push(error);
    }
  };
  take(() => {
    for (const root of listFolders(jobs)) {
      take(() => {
        const folder = new BatchFolder(root);
        const batch = folder.readBatch();
        if (batch !== null) batches.push({ batch, folder });
      });
    }
  });
  const at = ({ batch }: SubmittedBatch): string => batch.submittedAt;
  batches.sort((a, b) => Number(at(a) > at(b)) - Number(at(a) < at(b)));
  return { batches, problems };
}

/**
 * All batches below the cache's folder of jobs, the earliest first.
 *
 * @throws {ReproError} `jobs-unreadable`, `jobs-damaged`: its jobs may be at work
 */
export function listBatches(jobs: string): readonly SubmittedBatch[] {
  const { batches, problems } = findBatches(jobs);
  const [first] = problems;
  if (first !== undefined) throw first;
  return batches;
}

/** A submitted job that is not known here to have ended. */
interface Outstanding {
  readonly id: string;
  /** null: the answer to its submission is not on disk. */
  readonly jobId: string | null;
}

/**
 * The jobs that have not ended according to the files on disk; Slurm may know more.
 *
 * @throws {ReproError} `jobs-unreadable`, `jobs-damaged`
 */
export function listOutstanding(folder: CacheFolder): Outstanding[] {
  return listBatches(folder.jobs).flatMap(({ batch, folder: files }) =>
    batch.tasks
      .filter(({ index }) => !hasEnded(files.readEnd(index)))
      .map(({ id }) => ({ id, jobId: batch.jobId })),
  );
}

/**
 * Refuses to change the folder while jobs read and write there.
 *
 * @throws {ReproError} `locked`; `jobs-unreadable`, `jobs-damaged`: they may be at work, too
 */
export function refuseOutstanding(folder: CacheFolder): void {
  const [first, ...more] = listOutstanding(folder);
  if (first === undefined) return;
  const rest = more.length === 0 ? '' : ` and ${more.length} more`;
  throw new ReproError(
    'locked',
    `jobs on a cluster work in this folder: ${first.jobId ?? 'one being submitted'} for "${first.id}"${rest}`,
    {
      where: folder.jobs,
      fix: 'Wait for them with `./repro attach`, which also records the end of jobs that are over, or end them with `./repro cancel`.',
    },
  );
}

/** The folders below the cache's folder of jobs that a killed runner left half made or half removed. None has a job that counts. */
export async function listLeftoverFolders(jobs: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await fs.readdir(jobs).catch(ignoreMissing)) {
    const { root, batchFile } = new BatchFolder(path.join(jobs, name));
    if (name.endsWith(removedSuffix) || (await isMissing(batchFile))) found.push(root);
  }
  return found;
}

function listFolders(jobs: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(jobs, { withFileTypes: true });
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw unreadable(jobs, error);
  }
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.endsWith(removedSuffix))
    .map(({ name }) => path.join(jobs, name));
}

/** Whether a folder lacks a file. If the folder itself is a file (ENOTDIR), it is something else and stays. */
async function isMissing(file: string): Promise<boolean> {
  try {
    await fs.lstat(file);
    return false;
  } catch (error) {
    return hasErrorCode(error, 'ENOENT');
  }
}

function ignoreMissing(error: unknown): string[] {
  if (hasErrorCode(error, 'ENOENT')) return [];
  throw error;
}
