import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';
import { syncFolder } from '../../files/atomic-file.ts';

/** Moves a folder or a file to a free path, in one step. */
export async function moveFolder(from: string, to: string): Promise<void> {
  await fs.rename(from, to);
  await syncFolder(path.dirname(to));
}

/** In one step, since a partial folder would look like a complete one. @param partial the name that it has while it is being removed */
export async function removeFolder(folder: string, partial = partialOf(folder)): Promise<void> {
  await fs.rm(partial, { recursive: true, force: true });
  await fs.rename(folder, partial);
  await fs.rm(partial, { recursive: true, force: true });
}

/** Partial copies and removals have a fixed name, so that the next attempt cleans up after a kill. */
export function partialOf(folder: string): string {
  return `${folder}.partial`;
}

/** Whether there is anything; a link that leads nowhere counts. */
export function isThere(target: string): Promise<boolean> {
  return fs.lstat(target).then(
    () => true,
    (error: unknown) => {
      if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return false;
      throw error;
    },
  );
}
