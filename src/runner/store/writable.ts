import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';
import { kindOfPath } from '../../files/folders.ts';
import type { CacheFolder } from './cache-folder.ts';

/**
 * Checks that results can be kept before a stage starts: it may compute for days.
 *
 * @throws the system's error (`EACCES`, `EROFS`), with the folder that cannot be written
 */
export async function assertWritable(folder: CacheFolder): Promise<void> {
  for (const one of [
    path.join(folder.store, 'files'),
    path.join(folder.store, 'trees'),
    folder.actions,
    folder.records,
    folder.temporary,
    folder.lock,
  ]) {
    await assertFolderWritable(one);
  }
}

/**
 * Checks that outputs can be put in their places, before a stage computes them.
 *
 * @throws the system's error (`EACCES`, `EROFS`), with the folder that cannot be written
 */
export async function assertPlacesWritable(projectRoot: string, outputs: readonly string[]): Promise<void> {
  for (const output of outputs) {
    const target = path.resolve(projectRoot, output);
    const parent = path.dirname(target);
    if ((await kindOfPath(parent)) === 'file') continue;
    await assertFolderWritable(parent);
    // A folder that is replaced is moved away, which changes its own entry for its parent.
    if ((await kindOfPath(target)) === 'folder') await assertFolderWritable(target);
  }
}

/** A missing folder can be made if its nearest parent can be written. */
async function assertFolderWritable(folder: string): Promise<void> {
  try {
    await fs.access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    // A file in the place of a parent is told of, by its name, when the output is to be put there.
    if (hasErrorCode(error, 'ENOTDIR')) return;
    if (!hasErrorCode(error, 'ENOENT')) throw error;
    await assertFolderWritable(path.dirname(folder));
  }
}
