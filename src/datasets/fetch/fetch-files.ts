import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';
import { makeFolder } from '../../files/folders.ts';
import { acquireLock, type Lock } from '../../files/lock.ts';
import type { PublishedFile } from '../contract/dataset.ts';
import { downloadFile } from './download-file.ts';
import { describeInterruption, describeWrongFiles, type WrongFile } from './fetch-errors.ts';
import { removeStrayNote } from './part-file.ts';
import { type FetchOutcome, PART_ENDING } from './remote-file.ts';
import { Requester } from './request.ts';
import { type FetchProgress, SpeedMeter } from './speed-meter.ts';

/** Hidden, so that a data set's reader does not take it for a file of the data set. */
const LOCK_FOLDER = '.fetch-lock';

export interface FetchOptions {
  /** Stops the download; what is here is kept for the next command. */
  readonly signal?: AbortSignal | undefined;
  /** At most ten times a second, and at the end of each file. */
  readonly progress?: ((progress: FetchProgress) => void) | undefined;
  /** One sentence about a problem that was overcome. */
  readonly note?: ((text: string) => void) | undefined;
  /** How often to try an address again in a row without new data. Default 5. */
  readonly retries?: number | undefined;
  /** How long to wait for the next byte; default 60. */
  readonly stallSeconds?: number | undefined;
  /** How long to wait for a connection; default 30. */
  readonly connectSeconds?: number | undefined;
  /** Waits between tries, in ms; for tests. */
  readonly wait?: ((ms: number) => Promise<void>) | undefined;
}

/**
 * Brings published files into a folder, one after the other. A file appears under its name only when it is complete and its
 * checksum is right; until then it is `NAME.part`, which the next call continues if the server still has the same version.
 *
 * A file that is already there is read and compared. A wrong one is never replaced: the call fails before downloading
 * anything, because only the user knows whether it is a failed download or their own work.
 *
 * Proxies are taken from `http_proxy`, `https_proxy` and `no_proxy`.
 *
 * @returns what was done, file by file
 * @throws {ReproError} `fetch-wrong-file`, `fetch-part-unknown`, `fetch-failed`,
 *   `fetch-checksum`, `fetch-interrupted`, `fetch-proxy` (the environment), `locked` (another download into this folder),
 *   `lock-lost`, `output-nowhere` (no such folder can be made), `disk-...` (no space)
 */
export async function fetchFiles(
  files: readonly PublishedFile[],
  folder: string,
  options: FetchOptions = {},
): Promise<FetchOutcome[]> {
  const isThere = await checkAllPresent(files, folder, options.signal);
  // A folder with all files may be read-only.
  if (isThere.every(Boolean)) return files.map(() => 'already there');
  await makeFolder(folder, 'Name a folder that can be made.');
  const lock = await acquireLock(path.join(folder, LOCK_FOLDER));
  try {
    return await fetchMissing(files, folder, isThere, lock, options);
  } finally {
    await lock.dissolve();
  }
}

/** Which of the files are there; wrong ones are reported all at once. */
async function checkAllPresent(
  files: readonly PublishedFile[],
  folder: string,
  signal: AbortSignal | undefined,
): Promise<boolean[]> {
  const wrong: WrongFile[] = [];
  const isThere: boolean[] = [];
  for (const file of files) {
    const target = path.join(folder, file.name);
    const found = await checkPresent(file, target, signal).catch((error: unknown) => {
      throw signal?.aborted === true ? describeInterruption('checking', file.name, 0, error) : error;
    });
    if (found === 'right') await removeStrayNote(target);
    isThere.push(found === 'right');
    if (typeof found !== 'string') wrong.push(found);
  }
  if (wrong.length > 0) throw describeWrongFiles(wrong);
  return isThere;
}

async function fetchMissing(
  files: readonly PublishedFile[],
  folder: string,
  isThere: readonly boolean[],
  lock: Lock,
  options: FetchOptions,
): Promise<FetchOutcome[]> {
  const { signal, stallSeconds = 60, connectSeconds = 30 } = options;
  const requester = new Requester({ stallSeconds, connectSeconds }, signal);
  const outcomes: FetchOutcome[] = [];
  try {
    for (const [i, file] of files.entries()) {
      const outcome = isThere[i] ? 'already there' : await fetchOne(file, folder, requester, lock, options);
      outcomes.push(outcome);
    }
    return outcomes;
  } catch (error) {
    const current = files[outcomes.length];
    if (signal?.aborted !== true || current === undefined) throw error;
    throw describeInterruption('downloading', current.name, await partBytes(folder, current.name), error);
  } finally {
    await requester.close();
  }
}

async function fetchOne(
  file: PublishedFile,
  folder: string,
  requester: Requester,
  lock: Lock,
  { signal, progress, note = () => {}, retries = 5, wait }: FetchOptions,
): Promise<FetchOutcome> {
  const target = path.join(folder, file.name);
  // Once more with the lock held: another command may have fetched it meanwhile.
  const found = await checkPresent(file, target, signal);
  if (found === 'right') return 'already there';
  if (found !== 'absent') throw describeWrongFiles([found]);
  const meter = new SpeedMeter(file.name, progress);
  return downloadFile(file, target, { requester, meter, signal, note, retries, wait, lock });
}

async function partBytes(folder: string, name: string): Promise<number> {
  const found = await fs.stat(path.join(folder, name + PART_ENDING)).catch(() => null);
  return found?.size ?? 0;
}

/**
 * Reads what is in a file's place to its end, links followed.
 *
 * @returns what is wrong with it, if anything
 */
async function checkPresent(
  file: PublishedFile,
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
