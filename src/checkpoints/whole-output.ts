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
 * Writes a folder of files that appears in full or not at all. A process killed while it replaces an older folder may leave neither.
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
  const beside = (): string => path.join(path.dirname(target), `.${randomUUID()}.partial`);
  const partial = beside();
  try {
    await mkdir(partial);
    for (const [name, content] of contents) await writeSynced(path.join(partial, name), content);
    await syncFolder(partial);
    const old = beside();
    if (found === 'folder') await rename(target, old);
    await rename(partial, target);
    await rm(old, { recursive: true, force: true });
    await syncFolder(path.dirname(target));
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw blame(error, target);
  }
}

const elsewhere = 'Choose another place with --out.';
const chooseFile = 'Choose another: --out FILE.';
const chooseFolder = 'Choose another: --out FOLDER.';
const replace = 'Choose another with --out, or replace it with --force.';

function taken(where: string, problem: string, fix: string): ReproError {
  return new ReproError('output-exists', `${problem}.`, { where, fix });
}
