import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { syncFolder, writeSynced } from '../../files/atomic-file.ts';
import { kindOfPath } from '../../files/folders.ts';
import { syncTree } from '../../files/sync-files.ts';
import { listSome } from '../../text.ts';
import { type CacheFolder, fileNameOf, listNames } from './cache-folder.ts';
import type { RecordedOutput } from './records.ts';
import { type KnownOutputs, setAside } from './set-aside.ts';

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
    const { kind, digest, sizeBytes } = output;
    const result = await session.store.restore(kind, digest, sizeBytes, copyOf(i));
    if (result.kind === 'restored') continue;
    const names = result.files.map((file) => `${output.path}/${file}`);
    const state = result.kind === 'absent' ? 'missing' : 'damaged';
    return names.length > 1
      ? `${listSome(names)}: their copies in the store are ${state}`
      : `${names[0] ?? output.path}: its copy in the store is ${state}`;
  }
  const told = await setAside(session, outputs);
  if (told !== null) tell(told);
  for (const [i, output] of outputs.entries())
    await swapIn(copyOf(i), path.resolve(session.plan.projectRoot, output.path), folder);
  return null;
}

/**
 * Removes leftovers of killed runs. Only for who holds the lock: whatever is there at the moment of the call is theirs. What appears later
 * stays, so that a run need not wait for the end.
 *
 * @param folder the cache's folder for incomplete files
 */
export async function removeLeftOver(folder: string): Promise<void> {
  const names = listNames(folder);
  const remove = async (name: string): Promise<void> => {
    await removeNear(path.join(folder, name)).catch(() => {});
    await fs.rm(path.join(folder, name), { recursive: true, force: true });
  };
  await Promise.all(names.map((name) => remove(name).catch(() => {})));
}

/**
 * Replaces `target` with `from` by renames, so that `target` is never incomplete. The old one goes to `aside` first.
 *
 * @throws {ReproError} `output-blocked` if a file is where a parent folder of the target belongs
 */
export async function swapIn(from: string, target: string, aside: string): Promise<void> {
  const folder = path.dirname(target);
  await makeFolderOf(target);
  await fs.mkdir(aside, { recursive: true });
  let old = path.join(aside, `old-${randomUUID()}`);
  try {
    await fs.rename(target, old);
  } catch (error) {
    if (hasErrorCode(error, 'EXDEV')) {
      // The output is on a different disk from the cache.
      old = await nameNear(folder, 'old', aside);
      await fs.rename(target, old);
    } else if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
  try {
    await fs.rename(from, target);
  } catch (error) {
    if (!hasErrorCode(error, 'EXDEV')) throw error;
    const near = await nameNear(folder, 'new', aside);
    await fs.cp(from, near, { recursive: true });
    await syncTree(near);
    await fs.rename(near, target);
  }
  await syncFolder(folder);
  await fs.rm(old, { recursive: true, force: true });
}

const nearName = /^\.(?:old|new)-[0-9a-f-]{36}$/;

/** A name beside an output, noted in the cache first: if we are killed, {@link removeNear} removes it. */
async function nameNear(folder: string, kind: 'old' | 'new', aside: string): Promise<string> {
  const name = `.${kind}-${randomUUID()}`;
  await writeSynced(path.join(aside, name), JSON.stringify({ folder }));
  return path.join(folder, name);
}

/**
 * Removes what a killed run left beside outputs on another disk than the cache's, as noted in the folder that it used for
 * incomplete files.
 *
 * @param leftOver a run's subfolder of the cache's folder for incomplete files: `<instance>/<note>`
 */
async function removeNear(leftOver: string): Promise<void> {
  for (const instance of await fs.readdir(leftOver).catch(() => [])) {
    const folder = path.join(leftOver, instance);
    for (const name of await fs.readdir(folder).catch(() => [])) {
      if (nearName.test(name)) await removeNoted(path.join(folder, name));
    }
  }
}

async function removeNoted(file: string): Promise<void> {
  const text = await fs.readFile(file, 'utf8');
  // Cut off by a power cut: then what it announced had not begun.
  const folder = /^\{"folder":(".*")\}$/s.exec(text)?.[1];
  if (folder === undefined) return;
  await fs.rm(path.join(JSON.parse(folder), path.basename(file)), { recursive: true, force: true });
}

async function makeFolderOf(target: string): Promise<void> {
  const folder = path.dirname(target);
  try {
    await fs.mkdir(folder, { recursive: true });
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST', 'ENOTDIR')) throw error;
    let blocking = folder;
    while (!(await fs.lstat(blocking).catch(() => null))) blocking = path.dirname(blocking);
    const text = `is not a folder, but output "${path.basename(target)}" belongs in it`;
    throw new ReproError('output-blocked', text, {
      where: blocking,
      fix: 'Move it away or delete it, then run again: finished work is kept.',
      cause: error,
    });
  }
}

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
