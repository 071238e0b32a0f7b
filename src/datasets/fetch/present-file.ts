import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import { hasErrorCode } from '../../errors.ts';
import type { WrongFile } from './fetch-errors.ts';
import type { RemoteFile } from './remote-file.ts';

/**
 * Reads what is in a file's place to its end, links followed.
 *
 * @returns what is wrong with it, if anything
 */
export async function checkPresent(
  file: RemoteFile,
  target: string,
  signal: AbortSignal | undefined,
): Promise<'absent' | 'right' | WrongFile> {
  const wrong = { path: target, checksum: file.checksum, sizeBytes: file.sizeBytes };
  if ((await orNull(fs.lstat(target))) === null) return 'absent';
  const found = await orNull(fs.stat(target));
  if (found === null || !found.isFile()) return { ...wrong, found: 'not a file' };
  if (file.sizeBytes !== null && found.size !== file.sizeBytes) {
    return { ...wrong, found: { hex: null, sizeBytes: found.size } };
  }
  const hash = createHash(file.checksum.kind);
  let sizeBytes = 0;
  for await (const chunk of createReadStream(target, { highWaterMark: 1 << 20 })) {
    signal?.throwIfAborted();
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  const hex = hash.digest('hex');
  return hex === file.checksum.hex ? 'right' : { ...wrong, found: { hex, sizeBytes } };
}

async function orNull<T>(stats: Promise<T>): Promise<T | null> {
  try {
    return await stats;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return null;
    throw error;
  }
}
