import { createHash, webcrypto } from 'node:crypto';
import { closeSync, openSync, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { forEachLimited } from '../../base/files/for-each-limited.ts';
import { readFully } from '../../base/files/regular-file.ts';
import { type FileStamp, isSameStamp, stampOf, vanished } from './tree.ts';

export interface FileToHash {
  readonly absolute: string;
  readonly stamp: FileStamp;
}

/** Bytes read at once. In between, signals, the lock's signs of life and the live view have their turn, as after some smaller files. */
const pieceBytes = 4 * 1024 * 1024;

/** Reused, since new memory for each file takes as long as hashing. What is in it is hashed or copied before anything else runs. */
const piece = Buffer.allocUnsafe(pieceBytes);

/**
 * Hex sha256 of each file, in order.
 *
 * @throws {ReproError} `file-changed` if a file vanished, or does not match its stamp after it was read
 */
export async function hashFiles(files: readonly FileToHash[]): Promise<string[]> {
  const hashes: string[] = [];
  // As many as Node has threads for this.
  await forEachLimited(files, 4, async ({ absolute }, i) => {
    if (i % 256 === 255) await setImmediate();
    hashes[i] = await hashFile(absolute).catch((error: unknown) => {
      throw hasErrorCode(error, 'ENOENT', 'ENOTDIR') ? vanished(absolute, error) : error;
    });
  });
  for (const file of files) refuseChanged(file);
  return hashes;
}

async function hashFile(file: string): Promise<string> {
  const descriptor = openSync(file, 'r');
  try {
    let bytes = piece.subarray(0, readFully(descriptor, piece));
    // A smaller file is hashed before a thread would have it.
    if (bytes.length > 65_536 && bytes.length < pieceBytes)
      return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes)).toString('hex');
    const hash = createHash('sha256').update(bytes);
    while (bytes.length === pieceBytes) {
      await setImmediate();
      bytes = piece.subarray(0, readFully(descriptor, piece));
      hash.update(bytes);
    }
    return hash.digest('hex');
  } finally {
    closeSync(descriptor);
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
