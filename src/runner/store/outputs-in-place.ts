import { randomUUID } from 'node:crypto';
import { constants, lstatSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { makeFolderSynced, syncFolder } from '../../base/files/atomic-file.ts';
import { kindOfPath, makeFolder } from '../../base/files/folders.ts';
import { refuseUnreadableName } from '../../base/files/regular-file.ts';
import { listSome } from '../../base/text.ts';
import type { Plan } from '../plan/plan.ts';
import { type CacheFolder, fileNameOf, listNames } from './cache-folder.ts';
import type { Custody } from './custody.ts';
import type { DigestCache } from './digest-cache.ts';
import { type FileToHash, hashFiles } from './hash-files.ts';
import type { RecordedOutput } from './records.ts';
import type { Store } from './store.ts';
import { stampOf } from './tree.ts';

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
  return replaceOutputs(session, outputs, async (told) => {
    if (told !== null) tell(told);
    for (const [i, output] of outputs.entries())
      await swapIn(copyOf(i), path.resolve(session.plan.projectRoot, output.path), folder);
    return null;
  });
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
 * Checks that results can be kept and put in place, before a stage computes for days.
 *
 * @throws the system's error (`EACCES`, `EROFS`), with the folder that cannot be written
 * @throws {ReproError} `other-disk` if an output is on a disk that results cannot be moved to in one step
 */
export async function assertWritable(
  { store, actions, records, temporary, lock }: CacheFolder,
  projectRoot: string,
  outputs: readonly string[],
): Promise<void> {
  for (const one of [path.join(store, 'files'), path.join(store, 'trees'), actions, records, lock])
    await assertFolderWritable(one);
  const disk = await assertFolderWritable(temporary);
  const targets = outputs.map((output) => path.resolve(projectRoot, output));
  // A folder that is replaced is moved away, which changes its own entry for its parent.
  for (const one of targets.flatMap((target) => [path.dirname(target), target])) {
    const own = await assertFolderWritable(one);
    if (own === null || own === disk) continue;
    throw new ReproError('other-disk', `this is on another disk than ${temporary}, where results are made`, {
      where: one,
      fix: 'Results are moved into place in one step: mount all of artifacts/ instead, then run again.',
    });
  }
}

/** A missing folder can be made if its nearest parent can be written. @returns the disk; null if a file is there */
async function assertFolderWritable(folder: string): Promise<number | null> {
  const kind = await kindOfPath(folder);
  if (kind === null) return assertFolderWritable(path.dirname(folder));
  // A file in the place of a parent is told of, by its name, when the output is to be put there.
  if (kind === 'file') return null;
  await fs.access(folder, constants.W_OK | constants.X_OK);
  return (await fs.stat(folder)).dev;
}

/** Puts outputs in place of what is there. @param swap gets what to tell people: see {@link setAside} */
export function replaceOutputs<T>(
  known: KnownOutputs,
  outputs: readonly RecordedOutput[],
  swap: (told: string | null) => Promise<T>,
): Promise<T> {
  const paths = outputs.map((output) => output.path);
  return known.custody.keep(paths, async () => swap(await setAside(known, outputs)));
}

/** Not in the cache, which people may delete: what is here may exist nowhere else. */
const setAsideFolder = 'artifacts/.set-aside';

interface KnownOutputs {
  readonly plan: Pick<Plan, 'projectRoot'>;
  readonly custody: Custody;
  readonly store: Store;
  readonly digests: DigestCache;
}

interface Found {
  readonly absolute: string;
  readonly sizeBytes: number;
  /** null for what no run leaves, or what cannot be read. */
  readonly sha256: string | null;
}

/**
 * Moves what no recorded run wrote out of the places of outputs, before these are replaced: files that people added or edited, and links.
 * A file with a content that the store has was written by a run, and stays. After a kill at any moment each file is in one place or the other.
 *
 * @returns what to tell people; null if nothing was moved
 */
async function setAside(known: KnownOutputs, outputs: readonly RecordedOutput[]): Promise<string | null> {
  const { projectRoot } = known.plan;
  const found = await Promise.all(
    outputs.map((output) => listFound(known, path.resolve(projectRoot, output.path))),
  );
  const strange = found
    .flat()
    .filter(({ sha256, sizeBytes }) => sha256 === null || !known.store.hasFile(sha256, sizeBytes));
  if (strange.length === 0) return null;
  const place = await makePlace(projectRoot);
  const names = strange.map(({ absolute }) => path.relative(projectRoot, absolute));
  for (const [i, { absolute }] of strange.entries()) {
    const target = path.join(place, names[i] ?? '');
    await makeFolderSynced(path.dirname(target));
    await moveFolder(absolute, target);
  }
  return `set aside in ${path.relative(projectRoot, place)}: ${listSome(names)}. No recorded run wrote this, and runs replace their outputs: copy what you need to a folder of your own`;
}

/** The files and links in the place of an output; links are not followed. What cannot be listed is one thing as a whole. */
async function listFound(known: KnownOutputs, target: string): Promise<Found[]> {
  // Nothing is there, or it cannot be looked at, and then not be replaced either.
  const root = await fs.lstat(target).catch(() => null);
  if (root === null) return [];
  if (!root.isDirectory()) return hashFound(known, [target]);
  try {
    const entries = await fs.readdir(target, { withFileTypes: true, recursive: true });
    for (const { parentPath, name } of entries) refuseUnreadableName(parentPath, name);
    const files = entries.map(({ parentPath, name }) => path.join(parentPath, name));
    return await hashFound(known, files);
  } catch {
    return [{ absolute: target, sizeBytes: 0, sha256: null }];
  }
}

async function hashFound({ digests }: KnownOutputs, entries: readonly string[]): Promise<Found[]> {
  const found = new Map<string, Found>();
  const unknown: FileToHash[] = [];
  for (const absolute of entries) {
    const stats = lstatSync(absolute, { bigint: true });
    if (!stats.isFile() && !stats.isSymbolicLink()) continue;
    const stamp = stampOf(stats);
    const sha256 = stats.isFile() ? digests.find(absolute, stamp) : null;
    found.set(absolute, { absolute, sizeBytes: stamp.size, sha256: sha256 ?? null });
    if (sha256 === undefined) unknown.push({ absolute, stamp });
  }
  // If one of them cannot be read, all of them count as people's: too much is kept rather than too little.
  const hashes = await hashFiles(unknown).catch(() => []);
  for (const [i, { absolute, stamp }] of unknown.entries())
    found.set(absolute, { absolute, sizeBytes: stamp.size, sha256: hashes[i] ?? null });
  return [...found.values()];
}

/** A new folder: `<date>-1`, or the next that is free. */
async function makePlace(projectRoot: string): Promise<string> {
  await makeFolderSynced(path.join(projectRoot, setAsideFolder));
  const day = new Date().toISOString().slice(0, 10);
  for (let number = 1; ; number += 1) {
    const place = path.join(projectRoot, setAsideFolder, `${day}-${number}`);
    try {
      await fs.mkdir(place);
      return place;
    } catch (error) {
      if (!hasErrorCode(error, 'EEXIST')) throw error;
    }
  }
}

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
