import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../errors.ts';
import type { Session } from '../freshness/session.ts';
import { type Tree, type TreeEntry, withExecutables } from '../store/digest.ts';
import type { RecordedOutput, RunRecord } from '../store/records.ts';
import { downloadFile, readAction, readTree } from './checked-reading.ts';
import { fileKeyOf, type Remote, type TransferProgress, transferAll, treeKeyOf } from './remote.ts';

export interface Fetched {
  readonly record: RunRecord;
  readonly downloadedFiles: number;
  readonly downloadedBytes: number;
}

export interface FetchOptions {
  readonly remote: Remote;
  readonly onProgress?: (progress: TransferProgress) => void;
  readonly signal?: AbortSignal | undefined;
  /** Only the record and the lists of files: enough to know what depends on it. */
  readonly withoutFiles?: boolean;
}

/**
 * Fetches what a remote has for a fingerprint into the store: files, then lists, then the record, each checked. So after a kill at any
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
): Promise<Fetched | null> {
  const record = await readAction(options.remote, fingerprint, options.signal);
  if (record === null) return null;
  const figures = await fetchOutputs(session, id, record.outputs, options);
  if (options.withoutFiles !== true) await session.records.writeAction(record);
  return { record, ...figures };
}

/**
 * Fetches outputs into the store, whether a record of the remote or a committed one names them.
 *
 * @throws {ReproError} `remote-damaged`, `remote-incomplete`, `remote-…`
 */
export async function fetchOutputs(
  session: Session,
  id: string,
  outputs: readonly RecordedOutput[],
  options: FetchOptions,
): Promise<Omit<Fetched, 'record'>> {
  const trees = new Map<string, Tree>();
  for (const output of outputs) {
    if (output.kind !== 'folder') continue;
    const tree = await findTree(session, output, options);
    // The digest does not cover modes, so the remote's list is not trusted with them.
    trees.set(output.digest, withExecutables(tree, output.executable ?? []));
  }
  const missing = options.withoutFiles === true ? [] : await findMissing(session, outputs, trees);
  await download(session, id, missing, options);
  for (const [digest, tree] of trees) await session.store.putTree(digest, tree);
  return { downloadedFiles: missing.length, downloadedBytes: sumOf(missing) };
}

async function findTree(
  session: Session,
  output: RecordedOutput,
  { remote, signal }: FetchOptions,
): Promise<Tree> {
  const tree =
    (await session.store.findTree(output.digest)) ?? (await readTree(remote, output.digest, signal));
  if (tree === null) throw incomplete(remote, treeKeyOf(output.digest), output.path);
  return tree;
}

/** The files that the store does not have; each once. */
async function findMissing(
  session: Session,
  outputs: readonly RecordedOutput[],
  trees: ReadonlyMap<string, Tree>,
): Promise<TreeEntry[]> {
  const missing = new Map<string, TreeEntry>();
  for (const { kind, digest, sizeBytes, path: output } of outputs) {
    const entries =
      kind === 'file'
        ? [{ path: output, size: sizeBytes, sha256: digest }]
        : (trees.get(digest)?.entries ?? []);
    for (const entry of entries) {
      if (missing.has(entry.sha256)) continue;
      if ((await session.store.findFile(entry.sha256, entry.size)) === null) missing.set(entry.sha256, entry);
    }
  }
  return [...missing.values()];
}

/** Files are synced in batches of this size; a kill loses at most one batch. */
const batch = { files: 200, bytes: 64 * 1024 * 1024 };

async function download(
  session: Session,
  id: string,
  missing: readonly TreeEntry[],
  { remote, onProgress, signal }: FetchOptions,
): Promise<void> {
  if (missing.length === 0) return;
  const temporary = path.join(session.folder.temporary, `fetch-${randomUUID().slice(0, 8)}`);
  const totalBytes = sumOf(missing);
  let doneBytes = 0;
  const arrived: (TreeEntry & { readonly file: string })[] = [];
  const keep = (): Promise<void> => session.store.adopt(arrived.splice(0));
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
