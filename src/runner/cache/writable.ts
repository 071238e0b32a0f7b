import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';
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
  ]) {
    await assertFolderWritable(one);
  }
}

/** A missing folder can be made if its nearest parent can be written. */
async function assertFolderWritable(folder: string): Promise<void> {
  try {
    await fs.access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
    await assertFolderWritable(path.dirname(folder));
  }
}
