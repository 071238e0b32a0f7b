import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';
import { kindOfPath, makeFolder } from '../../files/folders.ts';
import { type CacheFolder, fileNameOf, listNames } from './cache-folder.ts';
import type { RecordedOutput } from './records.ts';
import { type KnownOutputs, setAside } from './set-aside.ts';
import { moveFolder } from './whole-folders.ts';

/** Puts outputs of an instance in place from the store. What runs had left there is removed. @returns null, or why one could not be restored */
export async function restoreOutputs(
  session: KnownOutputs,
  id: string,
  outputs: readonly RecordedOutput[],
  temporary: string,
  tell: (text: string) => void,
): Promise<string | null> {
  const folder = path.join(temporary, `restore-${fileNameOf(id)}`);
  const copyOf = (i: number): string => path.join(folder, String(i));
  await fs.mkdir(folder, { recursive: true });
  for (const [i, output] of outputs.entries()) {
    const problem = await session.store.restore(output, copyOf(i));
    if (problem !== null) return problem;
  }
  const told = await setAside(session, outputs);
  if (told !== null) tell(told);
  for (const [i, output] of outputs.entries())
    await swapIn(copyOf(i), path.resolve(session.plan.projectRoot, output.path), folder);
  return null;
}

/**
 * Removes incomplete files of killed runs. Only for who holds the lock: whatever is there at the moment of the call is theirs.
 *
 * @param folder the cache's folder for incomplete files
 */
export async function removeLeftOver(folder: string): Promise<void> {
  const remove = (name: string) => fs.rm(path.join(folder, name), { recursive: true, force: true });
  await Promise.all(listNames(folder).map((name) => remove(name).catch(() => {})));
}

/**
 * Replaces `target` with `from` by renames, so that `target` is never incomplete. The old one goes to `aside` first.
 *
 * @throws {ReproError} `output-blocked` if a file is where a parent folder of the target belongs
 */
export async function swapIn(from: string, target: string, aside: string): Promise<void> {
  const fix = 'Move it away or delete it, then run again: finished work is kept.';
  await makeFolder(path.dirname(target), fix, 'output-blocked');
  await fs.mkdir(aside, { recursive: true });
  const old = path.join(aside, `old-${randomUUID()}`);
  try {
    await fs.rename(target, old);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
  await moveFolder(from, target);
  await fs.rm(old, { recursive: true, force: true });
}

/**
 * Checks that results can be kept before a stage starts: it may compute for days.
 *
 * @throws the system's error (`EACCES`, `EROFS`), with the folder that cannot be written
 */
export async function assertWritable({
  store,
  actions,
  records,
  temporary,
  lock,
}: CacheFolder): Promise<void> {
  const folders = [path.join(store, 'files'), path.join(store, 'trees'), actions, records, temporary, lock];
  for (const one of folders) await assertFolderWritable(one);
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
