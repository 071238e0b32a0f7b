import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';
import { BatchFolder, removedSuffix } from './batch.ts';

/** What a killed runner left half made or half removed below the cache's folder of jobs: no job was submitted for it, or none counts. */
export async function listLeftoverFolders(jobs: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await fs.readdir(jobs).catch(ignoreMissing)) {
    const { root, batchFile } = new BatchFolder(path.join(jobs, name));
    if (name.endsWith(removedSuffix) || (await isMissing(batchFile))) found.push(root);
  }
  return found;
}

/** Within a folder, that is; a file in its place holds something else. */
async function isMissing(file: string): Promise<boolean> {
  try {
    await fs.lstat(file);
    return false;
  } catch (error) {
    return hasErrorCode(error, 'ENOENT');
  }
}

function ignoreMissing(error: unknown): string[] {
  if (hasErrorCode(error, 'ENOENT')) return [];
  throw error;
}
