import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { canonicalJson } from '../../base/files/canonical-json.ts';
import { parseJson } from '../../base/files/shape.ts';
import { digestTree, isSafeTree, type Tree } from '../store/digest.ts';
import { hashParts } from '../store/fingerprint-parts.ts';
import { isRunRecord, type RunRecord } from '../store/records.ts';
import { actionKeyOf, fileKeyOf, type Remote, treeKeyOf } from './remote.ts';

/** Records and lists of 100,000 files are far smaller. */
const textBytesAtMost = 256 * 1024 * 1024;

/**
 * The record that a remote has for a fingerprint; null if it has none.
 *
 * @throws {ReproError} `remote-damaged` if it is not a record of this fingerprint
 */
export async function readAction(
  remote: Remote,
  fingerprint: string,
  signal?: AbortSignal,
): Promise<RunRecord | null> {
  const key = actionKeyOf(fingerprint);
  const value = await readJson(remote, key, signal);
  if (value === undefined) return null;
  if (!isRunRecord(value)) throw damaged(remote, key, 'it is not a record');
  if (value.fingerprint !== fingerprint || hashParts(value.parts) !== fingerprint) {
    throw damaged(remote, key, 'it is the record of another fingerprint');
  }
  const paths = value.outputs.map((output) => output.path);
  if (canonicalJson(paths) !== canonicalJson(value.parts.outputs)) {
    throw damaged(remote, key, 'its outputs differ from those of the stage');
  }
  return value;
}

/**
 * The list of a folder's files that a remote has; null if it has none.
 *
 * @throws {ReproError} `remote-damaged` if it does not have this digest, or names a file outside the folder
 */
export async function readTree(remote: Remote, digest: string, signal?: AbortSignal): Promise<Tree | null> {
  const key = treeKeyOf(digest);
  const value = await readJson(remote, key, signal);
  if (value === undefined) return null;
  if (!isSafeTree(value)) throw damaged(remote, key, 'it is not a list of files');
  if (digestTree(value) !== digest) throw damaged(remote, key, 'its content does not match its name');
  return value;
}

/** The expected content of a file. */
interface ExpectedFile {
  readonly sha256: string;
  readonly size: number;
}

/**
 * Downloads a file to a path that does not exist yet. It is not synced; that happens when it becomes an object of the store.
 *
 * @param onBytes called with the number of bytes that arrived; negative if the connection broke and the download starts again
 * @returns false if the remote has no such object
 * @throws {ReproError} `remote-damaged` if the content does not match the object's name; the path then does not exist
 */
export async function downloadFromRemote(
  remote: Remote,
  { sha256, size }: ExpectedFile,
  target: string,
  onBytes: (count: number) => void,
  signal?: AbortSignal,
): Promise<boolean> {
  const key = fileKeyOf(sha256);
  const download = async (stream: Readable): Promise<true> => {
    const hash = createHash('sha256');
    let count = 0;
    const handle = await fs.open(target, 'wx');
    try {
      for await (const chunk of stream) {
        // Before it fills the disk.
        if (count + chunk.length > size)
          throw damaged(remote, key, `it is larger than the ${size} bytes recorded`);
        hash.update(chunk);
        await handle.writeFile(chunk);
        count += chunk.length;
        onBytes(chunk.length);
      }
      if (count < size) throw damaged(remote, key, `it ends after ${count} of ${size} bytes`);
      const found = hash.digest('hex');
      if (found !== sha256) throw damaged(remote, key, `its content has the sha256 ${found}`);
      return true;
    } catch (error) {
      await fs.rm(target, { force: true });
      onBytes(-count);
      throw error;
    } finally {
      await handle.close();
    }
  };
  return (await readPatiently(remote, key, download, signal)) ?? false;
}

/** undefined if the object does not exist; null if it is not JSON that can be used. */
async function readJson(remote: Remote, key: string, signal: AbortSignal | undefined): Promise<unknown> {
  const read = async (stream: Readable): Promise<string> => {
    const chunks: Buffer[] = [];
    let count = 0;
    for await (const chunk of stream) {
      count += chunk.length;
      if (count > textBytesAtMost) throw damaged(remote, key, 'it is too large');
      chunks.push(Buffer.from(chunk));
    }
    return Buffer.concat(chunks).toString('utf8');
  };
  const text = await readPatiently(remote, key, read, signal);
  if (text === null) return undefined;
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

function damaged(remote: Remote, key: string, what: string): ReproError {
  return new ReproError('remote-damaged', `this object is damaged or was tampered with: ${what}`, {
    where: `${remote.address}/${key}`,
    fix: 'Nothing of it was used. Remove it, then run `./repro cache push` on a machine that has these results.',
  });
}

/** How often to read an object whose connection breaks midway. Up to the first byte, the client itself retries. */
const attemptsAtMost = 4;

/**
 * Reads an object. If the connection breaks, it starts again, so that hours of other transfers are not lost.
 *
 * @returns null if the object does not exist
 */
async function readPatiently<T>(
  remote: Remote,
  key: string,
  read: (stream: Readable) => Promise<T>,
  signal?: AbortSignal,
): Promise<T | null> {
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    const stream = await remote.open(key, signal);
    if (stream === null) return null;
    // The reader gets the error, but the stream may break before anyone reads it.
    stream.on('error', () => {});
    if (signal !== undefined) addAbortSignal(signal, stream);
    try {
      return await read(stream);
    } catch (error) {
      signal?.throwIfAborted();
      if (!hasErrorCode(error, 'remote-unreachable') || attempt === attemptsAtMost) throw error;
    } finally {
      stream.destroy();
    }
  }
}
