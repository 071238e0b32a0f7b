import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';
import { compareCodeUnits } from '../../files/canonical-json.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import { acquireLock } from '../../files/lock.ts';
import { cacheFolderOf, fileNameOf, listParts } from './cache-folder.ts';
import { digestTree } from './digest.ts';
import { hashParts } from './fingerprint-parts.ts';
import { hashEach, hashFiles } from './hash-files.ts';
import { describeShortly, type Healed, healStore, type Unsettled } from './heal-store.ts';
import { Records, type RunRecord, readRecordFile } from './records.ts';
import { readStamp } from './tree.ts';
import { isSafeTree } from './tree-check.ts';

interface StoreCheck extends Healed {
  readonly files: number;
  readonly bytes: number;
  /** What was damaged and has been removed; absolute, sorted. Some of it may have been stored again since. */
  readonly damaged: readonly string[];
  /** Instances whose last record was removed, and of which no other is left; sorted. */
  readonly lostRecords: readonly string[];
  /** Source texts that were removed. */
  readonly lostSources: readonly LostSource[];
}

interface StoreCheckOptions {
  readonly projectRoot: string;
  /** Default: `artifacts/.cache`. */
  readonly cacheRoot?: string;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

const batchBytes = 256 * 1024 * 1024;

/**
 * Reads everything in the store, and removes what is not what its name says: a disk or a power cut has damaged it, and a run
 * would find that out only when it needs it. Then stores again what is missing and intact in place. Holds the lock meanwhile.
 *
 * @throws {ReproError} `locked` if a run holds the folder; `disk-…`
 */
export async function verifyStore(options: StoreCheckOptions): Promise<StoreCheck> {
  const folder = cacheFolderOf(options, options.cacheRoot);
  try {
    const lock = await acquireLock(folder.lock);
    try {
      const [files, trees, actions, last] = await Promise.all([
        listWhole(path.join(folder.store, 'files')),
        listWhole(path.join(folder.store, 'trees')),
        listWhole(folder.actions),
        listRecords(folder.records),
      ]);
      const { bytes, damaged } = await findDamagedFiles(files, options.onProgress);
      for (const file of trees) if (!(await isIntactTree(file))) damaged.push(file);
      for (const file of actions)
        if (!isIntactRecord(file, (record) => record.fingerprint)) damaged.push(file);
      for (const file of last)
        if (!isIntactRecord(file, (record) => fileNameOf(record.id))) damaged.push(file);
      const records = new Records(folder);
      const known = [...records.listActions(), ...records.listLast()].map(({ id }) => id);
      const removal = await removeAll(damaged.sort(), options.projectRoot);
      const healed = await healStore(options.projectRoot, folder);
      const removed = new Set(removal.removed);
      const wasRemoved = (file: string): boolean => removed.has(file);
      const count = files.length + trees.length + actions.length + last.length;
      return {
        files: count,
        bytes,
        ...healed,
        damaged: removal.removed,
        lostRecords: findLostRecords(last.filter(wasRemoved), known, records),
        lostSources: findLostSources(
          files.filter((file) => wasRemoved(file) && !existsSync(file)),
          records,
        ),
        unsettled: [...removal.unsettled, ...healed.unsettled],
      };
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw explainDiskError(error, { doing: 'the store could not be checked' });
  }
}

/** If one cannot be removed, the others are still removed and reported. */
async function removeAll(
  damaged: readonly string[],
  projectRoot: string,
): Promise<{ readonly removed: readonly string[]; readonly unsettled: readonly Unsettled[] }> {
  const removed: string[] = [];
  const unsettled: Unsettled[] = [];
  for (const file of damaged) {
    try {
      await fs.rm(file, { recursive: true, force: true });
      removed.push(file);
    } catch (error) {
      const problem = `is damaged, and could not be removed: ${describeShortly(error, projectRoot)}`;
      unsettled.push({ path: path.relative(projectRoot, file), problem });
    }
  }
  return { removed, unsettled };
}

async function findDamagedFiles(
  files: readonly string[],
  onProgress: StoreCheckOptions['onProgress'],
): Promise<{ bytes: number; damaged: string[] }> {
  const damaged: string[] = [];
  const all = files.flatMap((absolute) => {
    try {
      return [{ absolute, stamp: readStamp(absolute) }];
    } catch (error) {
      refuseOtherTrouble(error);
      damaged.push(absolute);
      return [];
    }
  });
  const totalBytes = all.reduce((sum, { stamp }) => sum + stamp.size, 0);
  let doneBytes = 0;
  for (let from = 0; from < all.length; ) {
    let to = from;
    for (let sum = 0; to < all.length && sum < batchBytes; to += 1) sum += all[to]?.stamp.size ?? 0;
    const batch = all.slice(from, to);
    const hashes = await hashFiles(batch).catch(() => hashEach(batch, refuseOtherTrouble));
    for (const [i, { absolute, stamp }] of batch.entries()) {
      if (hashes[i] !== path.basename(absolute)) damaged.push(absolute);
      doneBytes += stamp.size;
    }
    onProgress?.(doneBytes, totalBytes);
    from = to;
  }
  return { bytes: totalBytes, damaged };
}

/** Lack of memory or file handles says nothing about a file. */
function refuseOtherTrouble(error: unknown): void {
  if (hasErrorCode(error, 'EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN')) throw error;
}

/** Whether a file is a record of the name that it has, and its fingerprint that of its parts. */
function isIntactRecord(file: string, nameOf: (record: RunRecord) => string): boolean {
  const record = readRecordFile(file);
  return (
    record !== null &&
    hashParts(record.parts) === record.fingerprint &&
    `${nameOf(record)}.json` === path.basename(file)
  );
}

async function isIntactTree(file: string): Promise<boolean> {
  try {
    const tree: unknown = JSON.parse(await fs.readFile(file, 'utf8'));
    return isSafeTree(tree) && `${digestTree(tree)}.json` === path.basename(file);
  } catch {
    return false;
  }
}

/** Without what a killed process left. */
async function listWhole(folder: string): Promise<string[]> {
  return (await listParts(folder)).filter((file) => !file.endsWith('.partial'));
}

async function listRecords(folder: string): Promise<string[]> {
  const names = await fs.readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith('.json')).map((name) => path.join(folder, name));
}

/** Stored text of a source file, which `explain` compares with the present one. */
interface LostSource {
  readonly source: string;
  /** The instances whose records name it, sorted. */
  readonly ids: readonly string[];
}

/**
 * The instances that had a last record of which nothing is left, neither there nor under a fingerprint.
 *
 * @param removed record files; their names are those of the instances, encoded where an id has unusual characters
 * @param known ids from which such a name can be told
 */
export function findLostRecords(
  removed: readonly string[],
  known: Iterable<string>,
  records: Pick<Records, 'listActions' | 'listLast'>,
): string[] {
  const left = new Set([...records.listActions(), ...records.listLast()].map(({ id }) => fileNameOf(id)));
  const idOf = new Map([...known].map((id) => [fileNameOf(id), id]));
  const names = new Set(removed.map((file) => path.basename(file, '.json')));
  return [...names]
    .filter((name) => !left.has(name))
    .map((name) => idOf.get(name) ?? name)
    .sort(compareCodeUnits);
}

/** The source texts among removed objects of the store, by the records that name them. */
export function findLostSources(
  removed: readonly string[],
  records: Pick<Records, 'listActions' | 'listLast'>,
): LostSource[] {
  const lost = new Set(removed.map((file) => path.basename(file)));
  const found = new Map<string, Set<string>>();
  for (const { id, sources = {} } of [...records.listActions(), ...records.listLast()]) {
    for (const [source, sha256] of Object.entries(sources)) {
      if (!lost.has(sha256)) continue;
      const ids = found.get(source);
      if (ids === undefined) found.set(source, new Set([id]));
      else ids.add(id);
    }
  }
  return [...found]
    .map(([source, ids]) => ({ source, ids: [...ids].sort(compareCodeUnits) }))
    .sort((a, b) => compareCodeUnits(a.source, b.source));
}
