import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import fs from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { type FileStamp, isSameStamp, stampOf, vanished } from './tree.ts';

export interface FileToHash {
  readonly absolute: string;
  readonly stamp: FileStamp;
}

/** Bytes after which reading yields: to signals, the lock's signs of life, the live view. A larger file is read in pieces of this size. */
const pieceBytes = 4 * 1024 * 1024;

/**
 * Hex sha256 of each file, in order.
 *
 * @throws {ReproError} `file-changed` if a file vanished, or does not match its stamp after it was read
 */
export async function hashFiles(files: readonly FileToHash[]): Promise<string[]> {
  const hashes: string[] = [];
  let bytesLeft = pieceBytes;
  try {
    for (const { absolute, stamp } of files) {
      bytesLeft -= stamp.size;
      if (bytesLeft < 0) {
        bytesLeft = pieceBytes;
        await setImmediate();
      }
      hashes.push(
        stamp.size <= pieceBytes
          ? createHash('sha256').update(readFileSync(absolute)).digest('hex')
          : await hashInPieces(absolute),
      );
    }
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw vanished(error instanceof Error && 'path' in error ? String(error.path) : '', error);
  }
  for (const file of files) refuseChanged(file);
  return hashes;
}

async function hashInPieces(file: string): Promise<string> {
  const hash = createHash('sha256');
  const handle = await fs.open(file);
  try {
    const buffer = Buffer.allocUnsafe(pieceBytes);
    for (;;) {
      const { bytesRead } = await handle.read(buffer);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

function refuseChanged(file: FileToHash): void {
  const stats = statSync(file.absolute, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) throw vanished(file.absolute, undefined);
  if (isSameStamp(stampOf(stats), file.stamp)) return;
  throw new ReproError('file-changed', 'this file changed while it was being read', {
    where: file.absolute,
    fix: 'Something is still writing to it. Run again once that has finished.',
  });
}
