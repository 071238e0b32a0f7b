import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { hasErrorCode } from '../../errors.ts';
import { compareCodeUnits } from '../../files/canonical-json.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import { acquireLock } from '../../files/lock.ts';
import { type CacheFolder, cacheFolderOf, fileNameOf, listNames, listParts } from './cache-folder.ts';
import { digestOutput, digestTree, isSafeTree } from './digest.ts';
import { hashParts } from './fingerprint-parts.ts';
import { hashFiles } from './hash-files.ts';
import { listLost, putAgain } from './lost-outputs.ts';
import { Records, type RunRecord, readRecordFile } from './records.ts';
import { Store } from './store.ts';
import { type FileStamp, readStamp, scanTree } from './tree.ts';

/** An output that is neither in the store nor, intact, in its place. */
export interface GoneOutput extends Pick<RunRecord, 'id' | 'stage' | 'profile'> {
  readonly output: string;
}

interface StoreCheck {
  readonly files: number;
  readonly bytes: number;
  /** What was damaged and has been removed; absolute, sorted. Some of it may have been stored again since. */
  readonly damaged: readonly string[];
  /** Files and folders in place, relative to the project and sorted, that the store lacked and has again. */
  readonly storedAgain: readonly string[];
  readonly gone: readonly GoneOutput[];
}

interface StoreCheckOptions {
  readonly projectRoot: string;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Reads everything in the store, and removes what is not what its name says: a disk or a power cut has damaged it, and a run
 * would find that out only when it needs it. Then re-stores outputs that are intact in place. Holds the lock meanwhile.
 *
 * @throws {ReproError} `locked` if a run holds the folder; `disk-…`
 */
export async function verifyStore({ projectRoot, onProgress }: StoreCheckOptions): Promise<StoreCheck> {
  const folder = cacheFolderOf({ projectRoot });
  const records = new Records(folder);
  try {
    const lock = await acquireLock(folder.lock);
    try {
      const found = await findDamaged(folder, onProgress);
      for (const file of found.damaged) await fs.rm(file, { recursive: true, force: true });
      const last = records.listLast();
      for (const record of last)
        if (records.findAction(record.fingerprint) === null) await records.writeAction(record);
      return { ...found, ...(await heal(projectRoot, folder, last)) };
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw explainDiskError(error, { doing: 'the store could not be checked' });
  }
}

async function findDamaged(
  folder: CacheFolder,
  onProgress: StoreCheckOptions['onProgress'],
): Promise<Pick<StoreCheck, 'files' | 'bytes' | 'damaged'>> {
  const list = async (parts: string): Promise<string[]> =>
    (await listParts(parts)).filter((file) => !file.endsWith('.partial'));
  const [files, trees] = [
    await list(path.join(folder.store, 'files')),
    await list(path.join(folder.store, 'trees')),
  ];
  const actions = await list(folder.actions);
  const last = listNames(folder.records).filter((name) => name.endsWith('.json'));
  const stamped: { readonly absolute: string; readonly stamp: FileStamp | null }[] = [];
  for (const absolute of files)
    stamped.push({ absolute, stamp: await ifReadable(() => readStamp(absolute)) });
  const bytes = stamped.reduce((sum, { stamp }) => sum + (stamp?.size ?? 0), 0);
  const damaged: string[] = [];
  let doneBytes = 0;
  for (const { absolute, stamp } of stamped) {
    const hashes = stamp && (await ifReadable(() => hashFiles([{ absolute, stamp }])));
    if (hashes?.[0] !== path.basename(absolute)) damaged.push(absolute);
    doneBytes += stamp?.size ?? 0;
    onProgress?.(doneBytes, bytes);
  }
  for (const file of trees) if (!(await isIntactTree(file))) damaged.push(file);
  for (const file of actions) if (!isIntactRecord(file, 'fingerprint')) damaged.push(file);
  const lastFiles = last.map((name) => path.join(folder.records, name));
  for (const file of lastFiles) if (!isIntactRecord(file, 'id')) damaged.push(file);
  const count = files.length + trees.length + actions.length + last.length;
  return { files: count, bytes, damaged: damaged.sort(compareCodeUnits) };
}

/** null for a link that leads nowhere, a folder in place of a file, a broken part of the disk. */
async function ifReadable<T>(read: () => T | Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ELOOP', 'EISDIR', 'EIO', 'file-changed')) return null;
    throw error;
  }
}

/** Whether a file is a record of the name that it has, and its fingerprint that of its parts. */
function isIntactRecord(file: string, key: 'fingerprint' | 'id'): boolean {
  const record = readRecordFile(file);
  return (
    record !== null &&
    hashParts(record.parts) === record.fingerprint &&
    `${fileNameOf(record[key])}.json` === path.basename(file)
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

/** Re-stores what the store lacks of outputs that are intact in place; what is nowhere is gone. */
async function heal(
  projectRoot: string,
  folder: CacheFolder,
  last: readonly RunRecord[],
): Promise<Pick<StoreCheck, 'storedAgain' | 'gone'>> {
  const store = new Store(folder.store);
  const storedAgain = new Set<string>();
  const outputs = last.flatMap((record) => record.outputs.map((output) => ({ record, output })));
  for (const { output } of outputs) {
    if (await store.hasOutput(output)) continue;
    const absolute = path.resolve(projectRoot, output.path);
    const found = await digestOutput(absolute, null);
    if (found.kind !== output.kind || found.digest !== output.digest) continue;
    for (const name of listLost(store, output, found.tree)) storedAgain.add(name);
    const temporary = path.join(folder.temporary, `verify-${process.pid}`);
    await putAgain(store, output, await scanTree(absolute), temporary);
  }
  const gone: GoneOutput[] = [];
  // Only now: the content of one may have come from the place of another.
  for (const { record, output } of outputs) {
    const { id, stage, profile } = record;
    if (!(await store.hasOutput(output))) gone.push({ id, stage, profile, output: output.path });
  }
  return { storedAgain: [...storedAgain].sort(compareCodeUnits), gone };
}
