import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../errors.ts';
import { syncFolder, writeFileAtomic, writeSynced } from '../files/atomic-file.ts';
import { makeFolder } from '../files/new-folder.ts';

/**
 * Writes a file that appears whole or not at all; an older one stays until then.
 *
 * @throws {ReproError} `output-exists` if there is one and `force` is not set, or a folder of that name; `output-nowhere` if there can be none
 */
export async function writeWholeFile(file: string, content: Uint8Array, force: boolean): Promise<void> {
  const found = await kindOf(file);
  if (found === 'folder') throw otherKind(file, 'this is a folder, and a file is to be written', 'FILE');
  if (found !== null && !force) throw exists(file, 'file');
  await makeParent(file);
  await writeFileAtomic(path.resolve(file), content);
}

/**
 * Writes a folder of files that appears whole or not at all.
 *
 * @param contents by name; a folder that holds anything else is never replaced
 * @throws {ReproError} `output-exists` if there is such a folder and `force` is not set, it holds other files, or it is a file;
 *   `output-nowhere` if there can be none
 */
export async function writeWholeFolder(
  folder: string,
  contents: ReadonlyMap<string, Uint8Array | string>,
  { force, known }: { readonly force: boolean; readonly known: readonly string[] },
): Promise<void> {
  const target = path.resolve(folder);
  const found = await kindOf(folder);
  if (found === 'file') throw otherKind(folder, 'this is a file, and a folder is to be written', 'FOLDER');
  if (found === 'folder') {
    if (!force) throw exists(folder, 'folder');
    await refuseStrangers(folder, known);
  }
  await makeParent(folder);
  const partial = partialName(target);
  try {
    await mkdir(partial);
    for (const [name, content] of contents) await writeSynced(path.join(partial, name), content);
    await syncFolder(partial);
    await swapFolder(partial, target);
    await syncFolder(path.dirname(target));
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

/** A folder cannot be replaced in one step as a file can: for a moment there is none, but the old one is kept until the new one is there. */
async function swapFolder(from: string, to: string): Promise<void> {
  if ((await kindOf(to)) === null) {
    await rename(from, to);
    return;
  }
  const old = partialName(to);
  await rename(to, old);
  try {
    await rename(from, to);
  } catch (error) {
    await rename(old, to);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

async function kindOf(target: string): Promise<'file' | 'folder' | null> {
  try {
    return (await stat(path.resolve(target))).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

async function makeParent(target: string): Promise<void> {
  await makeFolder(path.dirname(path.resolve(target)), 'Name another place with --out.');
}

/** Beside the target, so that a rename is enough. */
function partialName(target: string): string {
  return path.join(path.dirname(target), `.${randomUUID()}.partial`);
}

async function refuseStrangers(folder: string, known: readonly string[]): Promise<void> {
  const stranger = (await readdir(path.resolve(folder))).find((name) => !known.includes(name));
  if (stranger === undefined) return;
  throw new ReproError(
    'output-exists',
    `it holds "${stranger}", which is not of an import, so it is not replaced.`,
    {
      where: folder,
      fix: 'Name another folder: --out FOLDER.',
    },
  );
}

function exists(target: string, what: 'file' | 'folder'): ReproError {
  return new ReproError('output-exists', `there is such a ${what} already.`, {
    where: target,
    fix: `Name another with --out, or replace it with --force.`,
  });
}

function otherKind(target: string, problem: string, placeholder: string): ReproError {
  return new ReproError('output-exists', `${problem}.`, {
    where: path.resolve(target),
    fix: `Name another: --out ${placeholder}.`,
  });
}
