import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../errors.ts';

/**
 * Makes a folder and its missing parents.
 *
 * @param fix what the user can do if a file is in the way
 * @returns the outermost folder made; undefined if all existed
 * @throws {ReproError} `code`, with its place, if something else than a folder is on the way
 */
export async function makeFolder(
  folder: string,
  fix: string,
  code = 'output-nowhere',
): Promise<string | undefined> {
  try {
    return await fs.mkdir(folder, { recursive: true });
  } catch (cause) {
    if (!hasErrorCode(cause, 'EEXIST', 'ENOTDIR')) throw cause;
    let where = path.resolve(folder);
    while ((await kindOfPath(where)) === null) where = path.dirname(where);
    throw new ReproError(code, 'expected a folder, found a file.', { where, fix, cause });
  }
}

/** What is at a path, following links; null if nothing is. Everything but a folder counts as a file. */
export async function kindOfPath(target: string): Promise<'file' | 'folder' | null> {
  try {
    return (await fs.stat(target)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

/** Removes a folder if it is empty. @returns whether it is gone */
export async function removeEmptyFolder(folder: string): Promise<boolean> {
  try {
    await fs.rmdir(folder);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return true;
    if (hasErrorCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  }
}

/** Whether an absolute path is inside a folder. */
export function isBelow(absolute: string, folder: string): boolean {
  return absolute.startsWith(folder.endsWith(path.sep) ? folder : `${folder}${path.sep}`);
}

/** Whether an absolute path is a folder, or inside it. */
export function isAtOrBelow(absolute: string, folder: string): boolean {
  return absolute === folder || isBelow(absolute, folder);
}
