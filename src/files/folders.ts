import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../errors.ts';

/**
 * Makes a folder and its missing parents, one after the other: Node's recursive `mkdir` retries forever where a parent exists
 * but accepts no folders, as `/proc` does.
 *
 * @param fix what the user can do if the folder cannot be made
 * @returns the outermost folder made; undefined if all existed
 * @throws {ReproError} `code`, with its place, if something else than a folder is on the way, or accepts no folders
 */
export async function makeFolder(
  folder: string,
  fix: string,
  code = 'output-nowhere',
): Promise<string | undefined> {
  const refuse = (text: string, where: string, cause?: unknown): ReproError =>
    new ReproError(code, text, { where, fix, cause });
  const missing: string[] = [];
  for (let one = path.resolve(folder); ; one = path.dirname(one)) {
    const kind = await kindOfPath(one);
    if (kind === 'folder') break;
    if (kind === 'file') throw refuse('expected a folder, found a file.', one);
    missing.unshift(one);
  }
  for (const one of missing) {
    try {
      await fs.mkdir(one);
    } catch (cause) {
      // Made meanwhile.
      if (hasErrorCode(cause, 'EEXIST') && (await kindOfPath(one)) === 'folder') continue;
      if (!hasErrorCode(cause, 'EEXIST', 'ENOENT', 'ENOTDIR')) throw cause;
      throw refuse('no folder can be made here.', one, cause);
    }
  }
  return missing[0];
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
