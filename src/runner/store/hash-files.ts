import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { countCores } from '../../base/cores.ts';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
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
        : await hashInThreads(files);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw vanished(error instanceof Error && 'path' in error ? String(error.path) : '', error);
  }
  for (const file of files) refuseChanged(file);
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

/**
 * Plain JavaScript, because a thread's code must load from both the compiled program and its sources. Read in a loop, which takes two thirds
 * of the time of a stream.
 */
const threadSource = `
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const buffer = Buffer.allocUnsafe(1024 * 1024);
parentPort.postMessage(workerData.map((file) => {
  const hash = createHash('sha256');
  const descriptor = fs.openSync(file, 'r');
  try {
    for (let n; (n = fs.readSync(descriptor, buffer)) > 0; ) hash.update(buffer.subarray(0, n));
  } finally {
    fs.closeSync(descriptor);
  }
  return [file, hash.digest('hex')];
}));
`;

async function hashInThreads(files: readonly FileToHash[]): Promise<string[]> {
  const count = Math.min(countCores(), maxThreads, files.length);
  const shares = Array.from({ length: count }, () => ({ files: [] as string[], bytes: 0 }));
  // The largest first, each to the thread that has the least so far.
  for (const { absolute, stamp } of files.toSorted((a, b) => b.stamp.size - a.stamp.size)) {
    const share = shares.reduce((least, one) => (one.bytes < least.bytes ? one : least));
    share.files.push(absolute);
    share.bytes += stamp.size;
  }
  const { Worker } = await import('node:worker_threads');
  const threads = shares.map((share) => new Worker(threadSource, { eval: true, workerData: share.files }));
  try {
    const answers = await Promise.all(threads.map((thread) => once(thread, 'message')));
    const digests = new Map<string, string>(answers.flat(2));
    return files.map(({ absolute }) => digests.get(absolute) ?? '');
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}
