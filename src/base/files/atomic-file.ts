import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { hasErrorCode } from '../errors.ts';
import { makeFolder } from './folders.ts';
import { forEachLimited } from './for-each-limited.ts';

/**
 * Stages run under Node's permission model, which refuses fsync from Node 26 on. There each write waits for the disk instead. Names in
 * folders cannot be synced: after a power cut a file may have its old content, and outputs are synced by the runner.
 */
const isConfined = process.permission !== undefined;
const writeFlags =
  constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (isConfined ? (constants.O_SYNC ?? 0) : 0);

/** In pieces, it need not fit into memory. */
export type Content = string | Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Writes a file so that, whatever happens, it holds either its old or its new content in full.
 *
 * @param soleWriter whether no other process can be writing this file, for example because a lock is held: the partial file then has a fixed
 *   name, so the next attempt overwrites what a killed process left
 * @param mode its permissions from the moment it exists; default: by the umask
 */
export async function writeFileAtomic(
  file: string,
  content: Content,
  { soleWriter = false, mode }: { readonly soleWriter?: boolean; readonly mode?: number } = {},
): Promise<void> {
  const folder = path.dirname(file);
  await makeFolderSynced(folder);
  const partial = soleWriter ? `${file}.partial` : path.join(folder, `.${randomUUID()}.partial`);
  try {
    await writeSynced(partial, content, mode);
    await fs.rename(partial, file);
  } catch (error) {
    await fs.rm(partial, { force: true });
    throw blame(error, file);
  }
  await syncFolder(folder);
}

/**
 * Gives a system error the path that its reader knows: an error of an open file (a full disk) has none, and that of a partial file is of no
 * use.
 */
function blame(error: unknown, file: string): unknown {
  return error instanceof Error && 'code' in error ? Object.assign(error, { path: file }) : error;
}

/** Writes or overwrites a file so that its content survives a power cut. */
export async function writeSynced(file: string, content: Content, mode?: number): Promise<void> {
  const handle = await fs.open(file, writeFlags, mode);
  try {
    await fs.writeFile(handle, content);
    if (!isConfined) await handle.sync();
  } catch (error) {
    throw blame(error, file);
  } finally {
    await handle.close();
  }
}

/** Makes a folder and its missing parents, so that their names survive a power cut. */
export async function makeFolderSynced(folder: string): Promise<void> {
  const first = await makeFolder(folder, 'Move away what is in its place, or choose another.');
  if (first === undefined) return;
  for (let made = folder; ; made = path.dirname(made)) {
    await syncFolder(path.dirname(made));
    if (made === first || made === path.dirname(made)) return;
  }
}

export async function syncFile(file: string): Promise<void> {
  const handle = await fs.open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the names in a folder survive a power cut. Some file systems do not support this, and do not need it. */
export async function syncFolder(folder: string): Promise<void> {
  if (isConfined) return;
  try {
    await syncFile(folder);
  } catch (error) {
    if (!hasErrorCode(error, 'EINVAL', 'EISDIR', 'EPERM', 'EACCES', 'ENOTSUP')) throw error;
  }
}

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
