import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../errors.ts';

/** A folder of cases, as the suite sees it. */
export interface CaseFolder {
  /** Names of the files in it, sorted. */
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
    throw new ReproError('parity-folder', `there is no ${indexFile} in this folder.`, {
      where: folder,
      fix: 'Name a folder of test vectors, such as test/golden; docs/parity.md says what it holds.',
    });
  }
  return { files, read: (name) => readFile(path.join(folder, name)) };
}

async function listFiles(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (!hasErrorCode(cause, 'ENOENT', 'ENOTDIR', 'EACCES')) throw cause;
    const message = hasErrorCode(cause, 'ENOENT')
      ? 'there is no such folder.'
      : hasErrorCode(cause, 'ENOTDIR')
        ? 'this is a file, and a folder is wanted.'
        : 'this folder may not be read.';
    throw new ReproError('parity-folder', message, {
      where: folder,
      fix: 'Name a folder of test vectors, such as test/golden.',
      cause,
    });
  }
}
