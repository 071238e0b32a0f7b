import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { syncFile, syncFolder } from './atomic-file.ts';
import { forEachLimited } from './for-each-limited.ts';

/** From so many files or folders on, one call for their whole file system takes less time than one for each of them. */
const wholeFrom = { files: 200, folders: 50 };

/** Concurrent calls, which a file system's journal takes up together. */
const syncsAtOnce = 8;

export interface SyncOptions {
  /** What writes everything of a file system to the disk, given a path on it; null: nothing does. Default: coreutils' `sync -f` on Linux. */
  readonly syncWhole?: ((target: string) => Promise<void>) | null;
}

/**
 * Makes the content of files survive a power cut: with one call for all of their file system if they are many, else with one for each.
 * Either way nothing that comes after this call reaches the disk before they do.
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
async function syncAll(
  target: string,
  { syncWhole = canSyncWhole ? runSync : null }: SyncOptions,
): Promise<boolean> {
  if (syncWhole === null) return false;
  return syncWhole(target).then(
    () => true,
    () => false,
  );
}

/** Before Linux 5.8, syncfs(2) did not report what it could not write. */
const canSyncWhole = process.platform === 'linux' && isLinuxFrom(5, 8);

function isLinuxFrom(major: number, minor: number): boolean {
  const [, a = 0, b = 0] = (/^(\d+)\.(\d+)/.exec(os.release()) ?? []).map(Number);
  return a > major || (a === major && b >= minor);
}

/** syncfs(2), which Node does not offer. An older or smaller `sync` that does not know `-f` fails. */
async function runSync(target: string): Promise<void> {
  await promisify(execFile)('sync', ['-f', target]);
}
