import fs from 'node:fs/promises';
import path from 'node:path';
import { syncFile, syncFolder } from './atomic-file.ts';
import { forEachLimited } from './for-each-limited.ts';
import { findSyncWhole } from './sync-whole.ts';

/** From so many files or folders on, one call for their whole file system takes less time than one for each of them. */
const wholeFrom = { files: 200, folders: 50 };

/** Concurrent calls, which a file system's journal takes up together. */
const syncsAtOnce = 8;

export interface SyncOptions {
  /** What writes everything of a file system to the disk, given a path on it; null: nothing does. Default: {@link findSyncWhole}. */
  readonly syncWhole?: ((target: string) => Promise<void>) | null;
}

/**
 * Makes the content of files survive a power cut: with one call for all of their file system if they are many, else with one for each.
 * Where one call cannot be relied on ({@link findSyncWhole}) it is always one for each.
 *
 * @param files on one file system
 */
export async function syncFiles(files: readonly string[], options: SyncOptions = {}): Promise<void> {
  const [first] = files;
  if (first !== undefined && files.length >= wholeFrom.files && (await syncAll(first, options))) return;
  await forEachLimited(files, syncsAtOnce, syncFile);
}

/** As {@link syncFiles}, for the names in folders. */
export async function syncFolders(folders: readonly string[], options: SyncOptions = {}): Promise<void> {
  const [first] = folders;
  if (first !== undefined && folders.length >= wholeFrom.folders && (await syncAll(first, options))) return;
  await forEachLimited(folders, syncsAtOnce, syncFolder);
}

/** Makes the content of all files below a path survive a power cut, and the names of those in folders; on one file system. */
export async function syncTree(target: string, options: SyncOptions = {}): Promise<void> {
  if (!(await fs.stat(target)).isDirectory()) return syncFile(target);
  const entries = await fs.readdir(target, { withFileTypes: true, recursive: true });
  if (entries.length >= wholeFrom.files && (await syncAll(target, options))) return;
  await forEachLimited(entries, syncsAtOnce, async (entry) => {
    const absolute = path.join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await syncFolder(absolute);
    else if (entry.isFile()) await syncFile(absolute);
  });
  await syncFolder(target);
}

/** @returns false if that is not possible here, or failed: then each file has to be synced, which also tells which one cannot be */
async function syncAll(target: string, { syncWhole }: SyncOptions): Promise<boolean> {
  const sync = syncWhole === undefined ? await findSyncWhole(target) : syncWhole;
  if (sync === null) return false;
  return sync(target).then(
    () => true,
    () => false,
  );
}
