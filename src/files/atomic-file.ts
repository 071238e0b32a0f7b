import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../errors.ts';

/**
 * Writes a file so that, whatever happens, it holds its old content or the new one, whole. The folder is made if needed.
 *
 * @param soleWriter whether nobody else can be writing this file, as below a lock: what a killed process left half written then has one
 * name, and is overwritten by the next attempt instead of staying behind
 */
export async function writeFileAtomic(
  file: string,
  content: string | Uint8Array,
  { soleWriter = false }: { readonly soleWriter?: boolean } = {},
): Promise<void> {
  const folder = path.dirname(file);
  await fs.mkdir(folder, { recursive: true });
  const partial = soleWriter ? `${file}.partial` : path.join(folder, `.${randomUUID()}.partial`);
  try {
    await writeSynced(partial, content);
    await fs.rename(partial, file);
  } catch (error) {
    await fs.rm(partial, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Writes a file, over one that is there, so that its content survives a power cut. */
export async function writeSynced(file: string, content: string | Uint8Array): Promise<void> {
  const handle = await fs.open(file, 'w');
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a file's content survive a power cut. */
export async function syncFile(file: string): Promise<void> {
  const handle = await fs.open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the names in a folder survive a power cut. Some file systems have no such thing, and need none. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    await syncFile(folder);
  } catch (error) {
    if (!hasErrorCode(error, 'EINVAL', 'EISDIR', 'EPERM', 'EACCES', 'ENOTSUP')) throw error;
  }
}
