import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../errors.ts';
import { blame, syncFolder, writeFileAtomic, writeSynced } from '../files/atomic-file.ts';
import { kindOfPath, makeFolder } from '../files/folders.ts';
import { quoteName } from '../text.ts';

/**
 * Writes a file that appears in full or not at all; until then an older one stays in place.
 *
 * @throws {ReproError} `output-exists` if it is a folder, or a file and `force` is not set; `output-nowhere` if its folder
 *   cannot be made
 */
export async function writeWholeFile(file: string, content: Uint8Array, force: boolean): Promise<void> {
  const target = path.resolve(file);
  const found = await kindOfPath(target);
  if (found === 'folder') throw taken(target, 'expected a file to write, found a folder', chooseFile);
  if (found !== null && !force) throw taken(file, 'this file already exists', replace);
  await makeFolder(path.dirname(target), elsewhere);
  await writeFileAtomic(target, content);
}

/**
 * Writes a folder of files that appears in full or not at all. If the process is killed while it replaces an older folder,
 * `recoverFolder` brings that one back.
 *
 * @param contents by name
 * @param known the names that a folder may hold to be replaced
 * @throws {ReproError} `output-exists` if it is a file, a folder and `force` is not set, or a folder with other files;
 *   `output-nowhere` if its parent cannot be made
 */
export async function writeWholeFolder(
  folder: string,
  contents: ReadonlyMap<string, Uint8Array | string>,
  { force, known }: { readonly force: boolean; readonly known: readonly string[] },
): Promise<void> {
  const target = path.resolve(folder);
  await recoverFolder(target);
  const found = await kindOfPath(target);
  if (found === 'file') throw taken(target, 'expected a folder to write, found a file', chooseFolder);
  if (found === 'folder') {
    if (!force) throw taken(folder, 'this folder already exists', replace);
    const other = (await readdir(target)).find((name) => !known.includes(name));
    if (other !== undefined) {
      throw taken(
        folder,
        `it holds ${quoteName(other)}, which no import wrote, so it is not replaced`,
        chooseFolder,
      );
    }
  }
  await makeFolder(path.dirname(target), elsewhere);
  // Beside the target, so that a rename is enough.
  const partial = path.join(path.dirname(target), `.${randomUUID()}.partial`);
  try {
    await mkdir(partial);
    for (const [name, content] of contents) await writeSynced(path.join(partial, name), content);
    await syncFolder(partial);
    await swapFolder(partial, target);
    await syncFolder(path.dirname(target));
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw blame(error, target);
  }
}

/**
 * Undoes what a process killed in the middle of `writeWholeFolder` left behind: the old folder gets its name back or, if the
 * new one is in place already, is removed.
 */
export async function recoverFolder(folder: string): Promise<void> {
  const target = path.resolve(folder);
  const old = replacedName(target);
  if ((await kindOfPath(old)) !== 'folder') return;
  if ((await kindOfPath(target)) === null) await rename(old, target);
  else await rm(old, { recursive: true, force: true });
}

/** A folder cannot be replaced in one step as a file can: the old one is kept under a known name until the new one is in place. */
async function swapFolder(from: string, to: string): Promise<void> {
  if ((await kindOfPath(to)) === null) {
    await rename(from, to);
    return;
  }
  const old = replacedName(to);
  await rename(to, old);
  try {
    await rename(from, to);
  } catch (error) {
    await rename(old, to);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

function replacedName(target: string): string {
  return path.join(path.dirname(target), `.${path.basename(target)}.replaced`);
}

const elsewhere = 'Choose another place with --out.';
const chooseFile = 'Choose another: --out FILE.';
const chooseFolder = 'Choose another: --out FOLDER.';
const replace = 'Choose another with --out, or replace it with --force.';

function taken(where: string, problem: string, fix: string): ReproError {
  return new ReproError('output-exists', `${problem}.`, { where, fix });
}
