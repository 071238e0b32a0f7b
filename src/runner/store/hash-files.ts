import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import os from 'node:os';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { type FileStamp, isSameStamp, stampOf, vanished } from './tree.ts';

export interface FileToHash {
  readonly absolute: string;
  readonly stamp: FileStamp;
}

/** Below this total size, starting threads costs more than they save. */
const threadsFromBytes = 16 * 1024 * 1024;

/** Beyond this, reading is bound by memory and disk. */
const maxThreads = 8;

/**
 * Hex sha256 of each file, in order. Large amounts are hashed in worker threads, so that the caller stays responsive.
 *
 * @throws {ReproError} `file-changed` if a file vanished, or does not match its stamp after it was read
 */
export async function hashFiles(files: readonly FileToHash[]): Promise<string[]> {
  const totalBytes = files.reduce((sum, file) => sum + file.stamp.size, 0);
  let hashes: string[];
  try {
    hashes =
      totalBytes < threadsFromBytes
        ? files.map((file) => createHash('sha256').update(readFileSync(file.absolute)).digest('hex'))
        : await hashInThreads(files.map((file) => file.absolute));
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw vanished(error instanceof Error && 'path' in error ? String(error.path) : '', error);
  }
  for (const file of files) refuseChanged(file);
  return hashes;
}

/** One by one, after hashing them together failed. @returns null for files that cannot be read */
export async function hashEach(
  files: readonly FileToHash[],
  onFailure: (error: unknown) => void,
): Promise<(string | null)[]> {
  const hashes: (string | null)[] = [];
  for (const file of files) {
    const [hash = null] = await hashFiles([file]).catch((error: unknown) => {
      onFailure(error);
      return [];
    });
    hashes.push(hash);
  }
  return hashes;
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

/** Plain JavaScript, because a thread's code must load from both the compiled program and its sources. */
const threadSource = `
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const { parentPort } = require('node:worker_threads');
const buffer = Buffer.allocUnsafe(1024 * 1024);
parentPort.on('message', ({ index, file }) => {
  try {
    const hash = createHash('sha256');
    const descriptor = fs.openSync(file, 'r');
    try {
      for (let n = fs.readSync(descriptor, buffer); n > 0; n = fs.readSync(descriptor, buffer)) {
        hash.update(n === buffer.length ? buffer : buffer.subarray(0, n));
      }
    } finally {
      fs.closeSync(descriptor);
    }
    parentPort.postMessage({ index, digest: hash.digest('hex') });
  } catch (error) {
    parentPort.postMessage({ index, message: error.message, code: error.code, path: file });
  }
});
`;

interface ThreadAnswer {
  readonly index: number;
  readonly digest?: string;
  /** An error's parts, since errors copied between threads lose their `code`. */
  readonly message?: string;
  readonly code?: string;
  readonly path?: string;
}

async function hashInThreads(files: readonly string[]): Promise<string[]> {
  const digests = new Array<string>(files.length);
  const count = Math.min(os.availableParallelism(), maxThreads, files.length);
  let next = 0;
  const { Worker } = await import('node:worker_threads');
  const threads = Array.from({ length: count }, () => new Worker(threadSource, { eval: true }));
  try {
    await Promise.all(
      threads.map(
        (thread) =>
          new Promise<void>((resolve, reject) => {
            const giveNext = (): void => {
              if (next >= files.length) resolve();
              else thread.postMessage({ index: next, file: files[next++] });
            };
            thread.on('error', reject);
            thread.on('message', (answer: ThreadAnswer) => {
              if (answer.digest === undefined) {
                const { message, code, path } = answer;
                return reject(Object.assign(new Error(message), { code, path }));
              }
              digests[answer.index] = answer.digest;
              giveNext();
            });
            giveNext();
          }),
      ),
    );
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
  return digests;
}
