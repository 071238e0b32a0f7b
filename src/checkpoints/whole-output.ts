import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../errors.ts';

/**
 * Writes a file that appears whole or not at all; an older one stays until then.
 *
 * @throws {ReproError} `output-exists` if there is one and `force` is not set
 */
export async function writeWholeFile(file: string, content: Uint8Array, force: boolean): Promise<void> {
  if (existsSync(file) && !force) throw exists(file, 'file');
  const partial = await makePartialName(file);
  try {
    await writeSynced(partial, content);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/**
 * Writes a folder of files that appears whole or not at all.
 *
 * @param contents by name; a folder that holds anything else is never replaced
 * @throws {ReproError} `output-exists` if there is such a folder and `force` is not set, or it holds other files
 */
export async function writeWholeFolder(
  folder: string,
  contents: ReadonlyMap<string, Uint8Array | string>,
  { force, known }: { readonly force: boolean; readonly known: readonly string[] },
): Promise<void> {
  if (existsSync(folder)) {
    if (!force) throw exists(folder, 'folder');
    await refuseStrangers(folder, known);
  }
  const partial = await makePartialName(folder);
  try {
    await mkdir(partial);
    for (const [name, content] of contents) await writeSynced(path.join(partial, name), content);
    await swapFolder(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

/** A folder cannot be replaced in one step as a file can: for a moment there is none, but the old one is kept until the new one is there. */
async function swapFolder(from: string, to: string): Promise<void> {
  if (!existsSync(to)) {
    await rename(from, to);
    return;
  }
  const old = await makePartialName(to);
  await rename(to, old);
  try {
    await rename(from, to);
  } catch (error) {
    await rename(old, to);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

/** Beside the target, so that a rename is enough. */
async function makePartialName(target: string): Promise<string> {
  const folder = path.dirname(path.resolve(target));
  await mkdir(folder, { recursive: true });
  return path.join(folder, `.${path.basename(target)}.${randomUUID()}.partial`);
}

async function writeSynced(file: string, content: Uint8Array | string): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function refuseStrangers(folder: string, known: readonly string[]): Promise<void> {
  const stranger = (await readdir(folder)).find((name) => !known.includes(name));
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
