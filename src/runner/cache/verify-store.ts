import fs from 'node:fs/promises';
import path from 'node:path';
import { acquireLock } from '../../files/lock.ts';
import { explainDiskError } from '../../stage/disk-error.ts';
import { digestTree } from '../files/digest.ts';
import { hashFiles } from '../files/hash-files.ts';
import { readStamp } from '../files/tree.ts';
import { cacheFolderOf } from './cache-folder.ts';
import { readRecordFile } from './records.ts';
import { isSafeTree } from './tree-check.ts';

export interface StoreCheck {
  readonly files: number;
  readonly bytes: number;
  /** What was damaged and has been removed; absolute, sorted. */
  readonly damaged: readonly string[];
}

export interface StoreCheckOptions {
  /** Absolute. */
  readonly projectRoot: string;
  /** Default: `artifacts/.cache`. */
  readonly cacheRoot?: string;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/** Hashed between two reports of progress. */
const batchBytes = 256 * 1024 * 1024;

/**
 * Reads everything in the store, and removes what is not what its name says: a disk or a power cut has damaged it, and a run
 * would find that out only when it needs it. Holds the lock meanwhile.
 *
 * @throws {ReproError} `locked` if a run holds the folder; `disk-…`
 */
export async function verifyStore(options: StoreCheckOptions): Promise<StoreCheck> {
  const folder = cacheFolderOf(options, options.cacheRoot);
  try {
    const lock = await acquireLock(folder.lock);
    try {
      const [files, trees, actions] = await Promise.all([
        listParts(path.join(folder.store, 'files')),
        listParts(path.join(folder.store, 'trees')),
        listParts(folder.actions),
      ]);
      const { bytes, damaged } = await findDamagedFiles(files, options.onProgress);
      for (const file of trees) if (!(await isIntactTree(file))) damaged.push(file);
      for (const file of actions) {
        if (`${readRecordFile(file)?.fingerprint}.json` !== path.basename(file)) damaged.push(file);
      }
      for (const file of damaged) await fs.rm(file, { force: true });
      return { files: files.length + trees.length + actions.length, bytes, damaged: damaged.sort() };
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw explainDiskError(error, { doing: 'the store could not be checked' });
  }
}

async function findDamagedFiles(
  files: readonly string[],
  onProgress: StoreCheckOptions['onProgress'],
): Promise<{ bytes: number; damaged: string[] }> {
  const all = files.map((absolute) => ({ absolute, stamp: readStamp(absolute) }));
  const totalBytes = all.reduce((sum, { stamp }) => sum + stamp.size, 0);
  const damaged: string[] = [];
  let doneBytes = 0;
  for (let from = 0; from < all.length; ) {
    let to = from;
    for (let sum = 0; to < all.length && sum < batchBytes; to += 1) sum += all[to]?.stamp.size ?? 0;
    const batch = all.slice(from, to);
    const hashes = await hashFiles(batch);
    for (const [i, { absolute, stamp }] of batch.entries()) {
      if (hashes[i] !== path.basename(absolute)) damaged.push(absolute);
      doneBytes += stamp.size;
    }
    onProgress?.(doneBytes, totalBytes);
    from = to;
  }
  return { bytes: totalBytes, damaged };
}

async function isIntactTree(file: string): Promise<boolean> {
  try {
    const tree: unknown = JSON.parse(await fs.readFile(file, 'utf8'));
    return isSafeTree(tree) && `${digestTree(tree)}.json` === path.basename(file);
  } catch {
    return false;
  }
}

/** `<folder>/ab/<name>`, without what a killed process left. */
async function listParts(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const part of await fs.readdir(folder).catch(() => [])) {
    for (const name of await fs.readdir(path.join(folder, part)).catch(() => [])) {
      if (!name.endsWith('.partial')) found.push(path.join(folder, part, name));
    }
  }
  return found;
}
