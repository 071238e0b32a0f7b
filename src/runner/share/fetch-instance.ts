import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../errors.ts';
import type { Session } from '../freshness/session.ts';
import { type TreeEntry, withExecutables } from '../store/digest.ts';
import type { RecordedOutput, RunRecord } from '../store/records.ts';
import { downloadFile, readAction, readTree } from './checked-reading.ts';
import { fileKeyOf, type Remote, type TransferProgress, transferAll, treeKeyOf } from './remote.ts';

export interface FetchOptions {
  readonly remote: Remote;
  readonly onProgress?: (progress: TransferProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

interface Transferred {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Fetches what a remote has for a fingerprint into the store: lists and files, then the record, each checked. So after a kill at any
 * moment the store is right, and the next attempt fetches only the rest. Outputs in place are not touched.
 *
 * @returns null if the remote has no such record
 * @throws {ReproError} `remote-damaged`, `remote-incomplete`, `remote-…`
 */
export async function fetchInstance(
  session: Session,
  id: string,
  fingerprint: string,
  options: FetchOptions,
): Promise<RunRecord | null> {
  const record = await fetchRecord(session, fingerprint, options);
  if (record === null) return null;
  await fetchFiles(session, id, record.outputs, options);
  await session.records.writeAction(record);
  return record;
}

/** Fetches the record and the lists of files: enough to know what depends on it. The record is not kept. */
export async function fetchRecord(
  session: Session,
  fingerprint: string,
  options: FetchOptions,
): Promise<RunRecord | null> {
  const record = await readAction(options.remote, fingerprint, options.signal);
  if (record !== null) await fetchLists(session, record.outputs, options);
  return record;
}

/** Fetches the lists of files of outputs into the store, whether a record of the remote or a committed one names them. */
export async function fetchLists(
  { store }: Session,
  outputs: readonly RecordedOutput[],
  { remote, signal }: FetchOptions,
): Promise<void> {
  for (const { kind, digest, path: name, executable = [] } of outputs) {
    if (kind !== 'folder') continue;
    const tree = (await store.findTree(digest)) ?? (await readTree(remote, digest, signal));
    if (tree === null) throw incomplete(remote, treeKeyOf(digest), name);
    // The digest does not cover modes, so the remote's list is not trusted with them.
    await store.putTree(digest, withExecutables(tree, executable));
  }
}

/** Files are synced in batches of this size; a kill loses at most one batch. */
const batch = { files: 200, bytes: 64 * 1024 * 1024 };

/** Fetches the files of outputs that the store does not have, each once. The store has the lists. */
export async function fetchFiles(
  { store, folder }: Session,
  id: string,
  outputs: readonly RecordedOutput[],
  { remote, onProgress, signal }: FetchOptions,
): Promise<Transferred> {
  const wanted = new Map<string, TreeEntry>();
  for (const output of outputs) {
    for (const entry of (await store.treeFor(output))?.entries ?? []) {
      if (!store.hasFile(entry.sha256, entry.size))
        wanted.set(entry.sha256, { ...entry, path: path.posix.join(output.path, entry.path) });
    }
  }
  const missing = [...wanted.values()];
  const totalBytes = sumOf(missing);
  if (missing.length === 0) return { files: 0, bytes: 0 };
  const temporary = path.join(folder.temporary, `fetch-${randomUUID().slice(0, 8)}`);
  let doneBytes = 0;
  const arrived: (TreeEntry & { readonly file: string })[] = [];
  const keep = (): Promise<void> => store.adopt(arrived.splice(0));
  await fs.mkdir(temporary, { recursive: true });
  try {
    await transferAll(
      missing,
      async (entry, i) => {
        const file = path.join(temporary, String(i));
        const onBytes = (count: number): void => {
          doneBytes += count;
          onProgress?.({ id, doneBytes, totalBytes });
        };
        const isThere = await downloadFile(remote, entry, file, onBytes, signal);
        if (!isThere) throw incomplete(remote, fileKeyOf(entry.sha256), entry.path);
        arrived.push({ ...entry, file });
        if (arrived.length >= batch.files || sumOf(arrived) >= batch.bytes) await keep();
      },
      signal,
    );
    await keep();
  } catch (error) {
    // Keep what has arrived. The error to report is why no more did.
    await keep().catch(() => {});
    throw error;
  } finally {
    await fs.rm(temporary, { recursive: true, force: true });
  }
  return { files: missing.length, bytes: totalBytes };
}

function sumOf(entries: readonly TreeEntry[]): number {
  return entries.reduce((sum, { size }) => sum + size, 0);
}

function incomplete(remote: Remote, key: string, name: string): ReproError {
  return new ReproError('remote-incomplete', `the object with ${name} is missing`, {
    where: `${remote.address}/${key}`,
    fix: 'Nothing was used. Run `repro cache push` on a machine that has these results.',
  });
}
