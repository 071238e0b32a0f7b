import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../errors.ts';

/** How often to try again when someone else removes a folder meanwhile. */
const attemptsAtMost = 3;

/**
 * Makes a folder and its missing parents, one after the other. Node's recursive `mkdir` retries forever where a parent
 * exists but accepts no folders, as `/proc` does.
 *
 * @param fix what the user can do if the folder cannot be made
 * @returns the outermost folder made; undefined if all existed
 * @throws {ReproError} `output-nowhere` if a parent is a file or accepts no folders
 */
export async function makeFolder(folder: string, fix: string): Promise<string | undefined> {
  const target = path.resolve(folder);
  for (let attempt = 1; ; attempt++) {
    const missing = await findMissing(target, fix);
    try {
      for (const one of missing) await makeOne(one);
      return missing[0];
    } catch (cause) {
      if (!hasErrorCode(cause, 'ENOENT', 'ENOTDIR')) throw cause;
      if (attempt === attemptsAtMost) {
        throw new ReproError('output-nowhere', 'no folder can be made here.', { where: target, fix, cause });
      }
    }
  }
}

/** The missing folders of the path, outermost first. */
async function findMissing(target: string, fix: string): Promise<string[]> {
  const missing: string[] = [];
  for (let folder = target; ; folder = path.dirname(folder)) {
    const kind = await kindOfPath(folder);
    if (kind === 'folder') return missing.reverse();
    if (kind === 'file') {
      throw new ReproError('output-nowhere', 'expected a folder, found a file.', { where: folder, fix });
    }
    missing.push(folder);
  }
}

async function makeOne(folder: string): Promise<void> {
  try {
    await fs.mkdir(folder);
  } catch (error) {
    // Made meanwhile; or a dangling link, which the next attempt would report as missing again.
    if (!hasErrorCode(error, 'EEXIST')) throw error;
    if ((await kindOfPath(folder)) === 'folder') return;
    throw Object.assign(new Error(`${folder} is not a folder`, { cause: error }), { code: 'ENOTDIR' });
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
