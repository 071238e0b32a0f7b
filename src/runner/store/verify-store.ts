import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { hasErrorCode } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { explainDiskError } from '../../base/files/disk-error.ts';
import { acquireLock } from '../../base/files/lock.ts';
import { cacheFolderOf, listParts } from './cache-folder.ts';
import { digestOutput } from './digest.ts';
import { hashFiles } from './hash-files.ts';
import { Records, type RunRecord } from './records.ts';
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
  /** Outputs in place, relative to the project and sorted, of which the store lacked something, and has all again. */
  readonly storedAgain: readonly string[];
  readonly gone: readonly GoneOutput[];
}

interface StoreCheckOptions {
  readonly projectRoot: string;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Reads everything in the store, and removes what is not what its name says: a disk or a power cut has damaged it, and a run
 * would find that out only when it needs it. Then re-stores from intact outputs what the last results lack. Holds the lock meanwhile.
 *
 * @throws {ReproError} `locked` if a run holds the folder; `disk-…`
 */
export async function verifyStore({ projectRoot, onProgress }: StoreCheckOptions): Promise<StoreCheck> {
  const folder = cacheFolderOf({ projectRoot });
  const store = new Store(folder.store);
  try {
    const lock = await acquireLock(folder.lock);
    try {
      const found = await findDamaged(folder.store, store, onProgress);
      for (const file of found.damaged) await fs.rm(file, { recursive: true, force: true });
      const outputs = new Records(folder)
        .listLast()
        .flatMap((record) => record.outputs.map((output) => ({ record, output })));
      const storedAgain = new Set<string>();
      for (const { output } of outputs) {
        if (await store.hasOutput(output)) continue;
        const absolute = path.resolve(projectRoot, output.path);
        const inPlace = await digestOutput(absolute, null);
        if (inPlace.kind !== output.kind || inPlace.digest !== output.digest) continue;
        // Files are executable that the record names, whatever their modes are now.
        const scan = await scanTree(absolute);
        const recorded = new Set(output.executable);
        const files = scan.files.map((file) => ({ ...file, executable: recorded.has(file.path) }));
        await store.put({ ...scan, files }, path.join(folder.temporary, `verify-${process.pid}`));
        storedAgain.add(output.path);
      }
      const gone: GoneOutput[] = [];
      // Only now: the content of one may have come from the place of another.
      for (const { record, output } of outputs) {
        const { id, stage, profile } = record;
        if (!(await store.hasOutput(output))) gone.push({ id, stage, profile, output: output.path });
      }
      return { ...found, storedAgain: [...storedAgain].sort(compareCodeUnits), gone };
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw explainDiskError(error, { doing: 'the store could not be checked' });
  }
}

async function findDamaged(
  root: string,
  store: Store,
  onProgress: StoreCheckOptions['onProgress'],
): Promise<Pick<StoreCheck, 'files' | 'bytes' | 'damaged'>> {
  const list = async (part: string): Promise<string[]> =>
    (await listParts(path.join(root, part))).filter((file) => !file.endsWith('.partial'));
  const [files, trees] = [await list('files'), await list('trees')];
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
  for (const file of trees)
    if ((await store.findTree(path.basename(file, '.json'))) === null) damaged.push(file);
  return { files: files.length + trees.length, bytes, damaged: damaged.sort(compareCodeUnits) };
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
