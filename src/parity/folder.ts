import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../errors.ts';
import { readRegular } from '../files/regular-file.ts';

/** A folder of cases. */
export interface CaseFolder {
  /** The names of its files, sorted. */
  readonly files: readonly string[];
  /** @throws if the file cannot be read */
  read(name: string): Promise<Uint8Array>;
}

/** The file that lists a folder's cases. */
export const indexFile = 'index.json';

/** @throws {ReproError} `parity-folder` if there is no such folder or no index.json in it */
export async function openCaseFolder(folder: string): Promise<CaseFolder> {
  const files = (await listFiles(folder)).sort();
  if (!files.includes(indexFile)) {
    throw new ReproError('parity-folder', `this folder has no ${indexFile}.`, {
      where: folder,
      fix: 'Name a folder of test vectors, such as test/golden; docs/parity.md describes the format.',
    });
  }
  return { files, read: (name) => readRegular(path.join(folder, name)) };
}

async function listFiles(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (!hasErrorCode(cause, 'ENOENT', 'ENOTDIR', 'EACCES')) throw cause;
    const message = hasErrorCode(cause, 'ENOENT')
      ? 'this folder does not exist.'
      : hasErrorCode(cause, 'ENOTDIR')
        ? 'this is a file, expected a folder.'
        : 'this folder cannot be read: permission denied.';
    throw new ReproError('parity-folder', message, {
      where: folder,
      fix: 'Name a folder of test vectors, such as test/golden.',
      cause,
    });
  }
}
