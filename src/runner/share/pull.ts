import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { describeError, hasErrorCode, ReproError } from '../../base/errors.ts';
import { explainDiskError } from '../../base/files/disk-error.ts';
import { acquireLock } from '../../base/files/lock.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import { checkFreshness } from '../freshness/freshness.ts';
import { noteUse, openSession, type Session, saveDigests } from '../freshness/session.ts';
import { refuseOutstanding } from '../jobs/jobs-folder.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import type { RunEvent } from '../run/events.ts';
import type { FetchStage } from '../run/execution-context.ts';
import { type TreeEntry, withExecutables } from '../store/digest.ts';
import { removeLeftOver, restoreOutputs } from '../store/outputs-in-place.ts';
import type { RecordedOutput, RunRecord } from '../store/records.ts';
import { downloadFromRemote, readAction, readTree } from './checked-reading.ts';
import { fileKeyOf, type Remote, type TransferProgress, transferAll, treeKeyOf } from './remote.ts';

export interface Pulled {
  readonly id: string;
  /**
   * `present`: it was here already. `waiting`: its dependencies are missing, so its fingerprint is unknown. `skipped`: only its record was
   * needed.
   */
  readonly state: 'present' | 'fetched' | 'absent' | 'waiting' | 'skipped' | 'failed';
  readonly files: number;
  readonly bytes: number;
  /** Outputs, or files in them, that were put in place. */
  readonly restored: readonly string[];
  readonly error: unknown;
  /** Files that were set aside. */
  readonly warning?: string;
}

interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
  readonly remote: Remote;
  readonly onProgress?: (progress: TransferProgress) => void;
}

export interface PullOptions extends FetchOptions {
  readonly facts: Facts;
  /** What to fetch and its dependencies, in plan order. */
  readonly selected: ReadonlySet<string>;
  /** What to fetch. Only the records of the others are read. */
  readonly named: ReadonlySet<string>;
  readonly onPulled?: (pulled: Pulled) => void;
}

/** What is known of an instance so far; completed to what is told of it. */
type Result = Partial<Omit<Pulled, 'id' | 'state'>> & Pick<Pulled, 'state'>;

/**
 * Fetches the results of a plan from a remote and puts them in place, without running anything.
 *
 * @throws {ReproError} `locked` if a run holds the folder; `disk-…`; `remote-…` unless it concerns a single object
 */
export async function pullPlan(plan: Plan, options: PullOptions): Promise<Pulled[]> {
  const session = openSession(plan, options);
  /** Outputs of the instances so far, which is all that their dependents need. */
  const known = new Map<string, readonly RecordedOutput[] | 'pending'>();
  try {
    const lock = await acquireLock(session.folder.lock);
    const temporary = path.join(session.folder.temporary, `${process.pid}-${randomUUID().slice(0, 8)}`);
    try {
      refuseOutstanding(session.folder);
      await removeLeftOver(session.folder.temporary);
      const all: Pulled[] = [];
      for (const [id, instance] of plan.instances) {
        if (!options.selected.has(id)) continue;
        options.signal?.throwIfAborted();
        const pulling = pullInstance(session, instance, known, temporary, options);
        const result = await pulling.catch((error: unknown): Result => {
          if (!isAboutOne(error)) throw error;
          return { state: 'failed', error };
        });
        const pulled = { id, files: 0, bytes: 0, restored: [], error: undefined, ...result };
        all.push(pulled);
        options.onPulled?.(pulled);
      }
      return all;
    } finally {
      await fs.rm(temporary, { recursive: true, force: true });
      await saveDigests(session);
      await lock.release();
    }
  } catch (error) {
    throw explainDiskError(error, { doing: 'results could not be fetched' });
  }
}

async function pullInstance(
  session: Session,
  instance: StageInstance,
  known: Map<string, readonly RecordedOutput[] | 'pending'>,
  temporary: string,
  options: PullOptions,
): Promise<Result> {
  const { id } = instance;
  const { records, attempts } = session;
  const check = () => checkFreshness(session, instance, (one) => known.get(one));
  known.set(id, 'pending');
  let freshness = await check();
  let fetched: Result = { state: 'present' };
  if (!('record' in freshness)) {
    if (freshness.error !== undefined) throw freshness.error;
    if (freshness.fingerprint === null) return { state: 'waiting' };
    const record = await fetchRecord(session, freshness.fingerprint, options);
    if (record === null) return { state: 'absent' };
    known.set(id, record.outputs);
    if (!options.named.has(id)) return { state: 'skipped' };
    fetched = { state: 'fetched', ...(await fetchFiles(session, record, id, options)) };
    freshness = await check();
  }
  if (!('record' in freshness)) throw new Error(`${id} was fetched, and yet is not there`);
  const { record } = freshness;
  known.set(id, record.outputs);
  await noteUse(session, record);
  if (freshness.kind === 'fresh') {
    if (!freshness.isLast) await records.writeLast(record);
    await attempts.drop(id);
    return fetched;
  }
  if (!options.named.has(id)) return fetched;
  await records.writeLast(record);
  const told: { warning?: string } = {};
  const outputs = freshness.damaged.map(({ output }) => output);
  const problem = await restoreOutputs(session, id, outputs, temporary, (text) => {
    told.warning = text;
  });
  if (problem !== null) throw new ReproError('store-damaged', problem, { fix: 'Pull again.' });
  await attempts.drop(id);
  return {
    ...fetched,
    ...{ state: 'fetched', restored: freshness.damaged.flatMap(({ names }) => names) },
    ...told,
  };
}

const aboutOne: ReadonlySet<string> = new Set([
  'remote-damaged',
  'remote-incomplete',
  'store-damaged',
  'input-missing',
  'stage-code',
  'no-record',
  'special-file',
]);

/** Whether other instances may still succeed. */
export function isAboutOne(error: unknown): boolean {
  return error instanceof ReproError && aboutOne.has(error.code);
}

/** Fetches the record and the lists of files: enough to know what depends on it. The record is not kept. @returns null if there is none */
async function fetchRecord(
  { store }: Session,
  fingerprint: string,
  { remote, signal }: FetchOptions,
): Promise<RunRecord | null> {
  const record = await readAction(remote, fingerprint, signal);
  for (const { kind, digest, path: name, executable = [] } of record?.outputs ?? []) {
    if (kind !== 'folder') continue;
    const tree = (await store.findTree(digest)) ?? (await readTree(remote, digest, signal));
    if (tree === null) throw incomplete(remote, treeKeyOf(digest), name);
    // The digest does not cover modes, so the remote's list is not trusted with them.
    await store.putTree(digest, withExecutables(tree, executable));
  }
  return record;
}

/**
 * Fetches the files that the store does not have, each once, then keeps the record. So after a kill at any moment the store is right, and
 * the next attempt fetches only the rest. Outputs in place are not touched.
 */
async function fetchFiles(
  { store, folder, records }: Session,
  record: RunRecord,
  id: string,
  { remote, onProgress, signal }: FetchOptions,
): Promise<Pick<Pulled, 'files' | 'bytes'>> {
  const wanted = new Map<string, TreeEntry>();
  for (const output of record.outputs) {
    for (const entry of (await store.treeFor(output))?.entries ?? []) {
      if (!store.hasFile(entry.sha256, entry.size))
        wanted.set(entry.sha256, { ...entry, path: path.posix.join(output.path, entry.path) });
    }
  }
  const missing = [...wanted.values()];
  const totalBytes = missing.reduce((sum, { size }) => sum + size, 0);
  const temporary = path.join(folder.temporary, `fetch-${randomUUID().slice(0, 8)}`);
  let doneBytes = 0;
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
        const isThere = await downloadFromRemote(remote, entry, file, onBytes, signal);
        if (!isThere) throw incomplete(remote, fileKeyOf(entry.sha256), entry.path);
        // Each at once, so that an interrupted transfer goes on with the next.
        await store.adopt([{ ...entry, file }]);
      },
      signal,
    );
  } finally {
    await fs.rm(temporary, { recursive: true, force: true });
  }
  await records.writeAction(record);
  return { files: missing.length, bytes: totalBytes };
}

function incomplete(remote: Remote, key: string, name: string): ReproError {
  return new ReproError('remote-incomplete', `the object with ${name} is missing`, {
    where: `${remote.address}/${key}`,
    fix: 'Nothing was used. Run `./repro cache push` on a machine that has these results.',
  });
}

/**
 * For runs that fetch what a remote has. A failure is only a warning, and the stage runs.
 * Once the remote does not answer, it is not asked again.
 */
export function createFetchStage(
  openRemote: () => Promise<Remote>,
  onEvent: (event: RunEvent) => void,
): FetchStage {
  let isGivenUp = false;
  let opened: Promise<Remote> | null = null;
  const inMegabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;
  return async (session, { id }, freshness, signal) => {
    if (isGivenUp || signal.aborted || 'record' in freshness || freshness.fingerprint === null) return false;
    const onProgress = ({ doneBytes, totalBytes }: TransferProgress): void => {
      const [done, total] = [inMegabytes(doneBytes), inMegabytes(totalBytes)];
      onEvent({ kind: 'progress', id, progress: { done, total, unit: 'MB', note: 'fetched' } });
    };
    try {
      opened ??= openRemote();
      const remote = await opened;
      const options = { remote, signal, onProgress };
      const record = await fetchRecord(session, freshness.fingerprint, options);
      if (record === null) return false;
      await fetchFiles(session, record, id, options);
      const text = `fetched from ${remote.address}: made on ${record.host}, ${record.startedAt.slice(0, 16)}Z`;
      onEvent({ kind: 'note', id, level: 'note', text });
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      // The next stage would meet these again, perhaps after a long wait.
      isGivenUp = hasErrorCode(
        error,
        'remote-unreachable',
        'remote-denied',
        'remote-missing',
        'remote-address',
      );
      const rest = isGivenUp ? '\nThis run fetches nothing more.' : '';
      const text = `not fetched, so it runs: ${describeError(error)}${rest}`;
      onEvent({ kind: 'note', id, level: 'warning', text });
      return false;
    }
  };
}
