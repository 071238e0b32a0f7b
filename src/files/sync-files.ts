import fs from 'node:fs/promises';
import path from 'node:path';
import { syncFile, syncFolder } from './atomic-file.ts';
import { forEachLimited } from './for-each-limited.ts';

/** Concurrent calls, which a file system's journal handles together. */
const syncsAtOnce = 8;

/** Makes the content of files survive a power cut. */
export function syncFiles(files: readonly string[]): Promise<void> {
  return forEachLimited(files, syncsAtOnce, syncFile);
}

/** Makes the names in folders survive a power cut. */
export function syncFolders(folders: readonly string[]): Promise<void> {
  return forEachLimited(folders, syncsAtOnce, syncFolder);
}

/** Makes the content of all files at or below a path survive a power cut, and the names of those in folders. */
export async function syncTree(target: string): Promise<void> {
  if (!(await fs.stat(target)).isDirectory()) return syncFile(target);
  const entries = await fs.readdir(target, { withFileTypes: true, recursive: true });
  const pathOf = (entry: (typeof entries)[number]): string => path.join(entry.parentPath, entry.name);
  await syncFiles(entries.filter((entry) => entry.isFile()).map(pathOf));
  await syncFolders([...entries.filter((entry) => entry.isDirectory()).map(pathOf), target]);
}
