import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../errors.ts';

/** How often a folder that someone else removes meanwhile is made again. */
const attempts = 3;

/**
 * Makes a folder and those that it lies in, one after the other. Node's own way asks again and again where a parent is there and takes no
 * folders, as `/proc` does.
 *
 * @param fix what a person can do where there can be no such folder
 * @returns the outermost folder that was made; undefined if all were there
 * @throws {ReproError} `output-nowhere` if there is a file on the way, or a folder that takes no others
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
      if (attempt === attempts) {
        throw new ReproError('output-nowhere', 'no folder can be made there.', { where: target, fix, cause });
      }
    }
  }
}

/** The folders on the way that are not there, the outermost first. */
async function findMissing(target: string, fix: string): Promise<string[]> {
  const missing: string[] = [];
  for (let folder = target; ; folder = path.dirname(folder)) {
    const kind = await kindOf(folder);
    if (kind === 'folder') return missing.reverse();
    if (kind === 'file') {
      const problem = 'there is a file where this has a folder.';
      throw new ReproError('output-nowhere', problem, { where: folder, fix });
    }
    missing.push(folder);
  }
}

async function kindOf(target: string): Promise<'file' | 'folder' | null> {
  try {
    return (await fs.stat(target)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

async function makeOne(folder: string): Promise<void> {
  try {
    await fs.mkdir(folder);
  } catch (error) {
    // Made meanwhile; or a link that leads nowhere, which the next look at it would not find either.
    if (!hasErrorCode(error, 'EEXIST')) throw error;
    if ((await kindOf(folder)) === 'folder') return;
    throw Object.assign(new Error(`${folder} is no folder`, { cause: error }), { code: 'ENOTDIR' });
  }
}
