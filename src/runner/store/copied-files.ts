import { constants, createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import { hasErrorCode } from '../../errors.ts';
import { forEachLimited } from '../../files/for-each-limited.ts';
import { hashFiles } from './hash-files.ts';
import { stampOf } from './tree.ts';

/** Concurrent copies: enough to keep a disk busy, far below the limit on open files. */
export const copiesAtOnce = 8;

/** Renames, also over a folder, which only a damaged disk or a mistaken hand puts in the place of a file. */
export async function replaceFile(from: string, to: string): Promise<void> {
  try {
    await fs.rename(from, to);
  } catch (error) {
    if (!hasErrorCode(error, 'EISDIR', 'ENOTEMPTY', 'EEXIST')) throw error;
    await fs.rm(to, { recursive: true });
    await fs.rename(from, to);
  }
}

interface Copy {
  readonly from: string;
  readonly to: string;
  readonly mode?: number;
}

export interface Copied {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** The system does not say at which end a copy failed. */
export class CopyError extends Error {
  readonly from: string;

  constructor(from: string, cause: unknown) {
    super(`${from} could not be copied`, { cause });
    this.from = from;
  }
}

/**
 * Copies files, as clones if the file system supports it, and hashes the copies.
 *
 * @throws {CopyError}
 */
export async function copyAndHash(copies: readonly Copy[]): Promise<Copied[]> {
  await forEachLimited(copies, copiesAtOnce, async ({ from, to, mode }) => {
    await fs.copyFile(from, to, constants.COPYFILE_FICLONE).catch((error: unknown) => {
      throw new CopyError(from, error);
    });
    if (mode !== undefined) await fs.chmod(to, mode);
  });
  const files = await Promise.all(
    copies.map(async ({ to }) => ({ absolute: to, stamp: stampOf(await fs.stat(to, { bigint: true })) })),
  );
  const hashes = await hashFiles(files);
  return files.map(({ stamp }, i) => ({ sha256: hashes[i] ?? '', sizeBytes: stamp.size }));
}

/** Why a file cannot be read to its end; null if it can. */
export async function findReadProblem(file: string): Promise<unknown> {
  try {
    for await (const _ of createReadStream(file, { highWaterMark: 1024 * 1024 }));
    return null;
  } catch (error) {
    return error;
  }
}
