import path from 'node:path';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { canonicalJson } from '../../base/files/canonical-json.ts';
import { quoteWords } from '../../base/files/shell-words.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import { checkInstances } from '../freshness/freshness.ts';
import { openSession, type Session, saveDigests } from '../freshness/session.ts';
import type { Plan } from '../plan/plan.ts';
import { withoutPlaces } from '../store/fingerprint-parts.ts';
import { hashFiles } from '../store/hash-files.ts';
import { haveSameDigests, type RunRecord } from '../store/records.ts';
import { readStamp } from '../store/tree.ts';
import { readAction, readTree } from './checked-reading.ts';
import { isAboutOne } from './pull.ts';
import {
  actionKeyOf,
  fileKeyOf,
  type Remote,
  type TransferProgress,
  transferAll,
  treeKeyOf,
} from './remote.ts';

export interface PushedInstance {
  readonly id: string;
  /** `theirs`: the remote has different results of the same fingerprint, which were kept. `stale`: it has no result to upload. */
  readonly state: 'pushed' | 'present' | 'theirs' | 'stale' | 'failed';
  readonly files: number;
  readonly bytes: number;
  /** Keys of objects that were damaged and have been replaced. */
  readonly replaced: readonly string[];
  /** The remote's record, if it is different. */
  readonly other: RunRecord | null;
  readonly error: unknown;
}

type Pushed = Partial<Omit<PushedInstance, 'id' | 'state'>> & Pick<PushedInstance, 'state'>;

export interface PushOptions {
  readonly remote: Remote;
  readonly onProgress?: (progress: TransferProgress) => void;
  readonly signal?: AbortSignal | undefined;
  readonly facts: Facts;
  readonly selected: ReadonlySet<string>;
  readonly onPushed?: (pushed: PushedInstance) => void;
}

/**
 * Uploads the results of a plan that are up to date. Needs no lock: it only reads what a run never changes.
 *
 * @throws {ReproError} `remote-…`
 */
export async function pushPlan(plan: Plan, options: PushOptions): Promise<PushedInstance[]> {
  const session = openSession(plan, options);
  const ids = [...plan.instances.keys()].filter((id) => options.selected.has(id));
  const all: PushedInstance[] = [];
  for await (const { instance, freshness } of checkInstances(session, ids, () => false)) {
    options.signal?.throwIfAborted();
    const { id } = instance;
    const result: Pushed =
      'record' in freshness
        ? await pushInstance(session, freshness.record, options).catch((error: unknown) => {
            if (!isAboutOne(error) && !hasErrorCode(error, 'store-incomplete')) throw error;
            return { state: 'failed', error };
          })
        : { state: 'stale' };
    const pushed = { id, files: 0, bytes: 0, replaced: [], other: null, error: undefined, ...result };
    all.push(pushed);
    options.onPushed?.(pushed);
  }
  await saveDigests(session);
  return all;
}

/**
 * Uploads an instance's results: files and lists, then the record, so that even after a kill no record lacks its files. Objects that the
 * remote already has, by name and size, are not uploaded again.
 *
 * @throws {ReproError} `store-incomplete` if the store does not have all of it, `remote-…`
 */
async function pushInstance(session: Session, record: RunRecord, options: PushOptions): Promise<Pushed> {
  const { remote, signal } = options;
  const key = actionKeyOf(record.fingerprint);
  const replaced: string[] = [];
  // A damaged record counts as absent, and is replaced.
  const theirs = await readAction(remote, record.fingerprint, signal).catch((error: unknown) => {
    if (!hasErrorCode(error, 'remote-damaged')) throw error;
    replaced.push(key);
    return null;
  });
  const isOther = theirs !== null && !haveSameDigests(theirs.outputs, record.outputs);
  if (isOther && (await isWhole(theirs, remote, signal))) return { state: 'theirs', other: theirs };
  const isNew = theirs === null || isOther;
  const wanted: StoredObject[] = [];
  await transferAll(
    await listObjects(session, record),
    async (one) => {
      const size = await remote.sizeOf(one.key);
      if (size === one.sizeBytes) return;
      if (size !== null) replaced.push(one.key);
      wanted.push(one);
    },
    signal,
  );
  const files = wanted.flatMap(({ file }) => file ?? []);
  await refuseDamaged(session, record, files);
  const totalBytes = wanted.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let doneBytes = 0;
  await transferAll(
    wanted,
    async ({ key: name, sizeBytes, file, text = '' }) => {
      await remote.write(name, file === undefined ? text : { file, sizeBytes }, signal);
      doneBytes += sizeBytes;
      options.onProgress?.({ id: record.id, doneBytes, totalBytes });
    },
    signal,
  );
  const told = { ...record, parts: withoutPlaces(record.parts) };
  if (isNew) await remote.write(key, `${JSON.stringify(told, null, 2)}\n`);
  const state = isNew || wanted.length > 0 ? 'pushed' : 'present';
  return { state, files: files.length, bytes: totalBytes, replaced: replaced.sort() };
}

/** Whether a remote still has every file that a record of it names: storage may delete old ones. A damaged list counts as absent. */
async function isWhole({ outputs }: RunRecord, remote: Remote, signal?: AbortSignal): Promise<boolean> {
  for (const { kind, digest, sizeBytes } of outputs) {
    const list = async () => {
      if (kind === 'file') return [{ sha256: digest, size: sizeBytes }];
      return (await readTree(remote, digest, signal))?.entries ?? null;
    };
    const files = await list().catch((error: unknown) => {
      if (!hasErrorCode(error, 'remote-damaged')) throw error;
      return null;
    });
    if (files === null) return false;
    for (const { sha256, size } of files) if ((await remote.sizeOf(fileKeyOf(sha256))) !== size) return false;
  }
  return true;
}

/** A file of the store, or a list of files. */
interface StoredObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly file?: string;
  readonly text?: string;
}

/** The files and lists of a record's outputs; each once. */
async function listObjects(session: Session, record: RunRecord): Promise<readonly StoredObject[]> {
  const objects = new Map<string, StoredObject>();
  const add = (one: StoredObject) => objects.set(one.key, one);
  for (const output of record.outputs) {
    const tree = await session.store.treeFor(output);
    if (tree === null) throw incomplete(session, record);
    for (const { sha256, size } of tree.entries)
      add({ key: fileKeyOf(sha256), sizeBytes: size, file: session.store.fileOf(sha256) });
    const text = canonicalJson(tree);
    if (output.kind === 'folder')
      add({ key: treeKeyOf(output.digest), sizeBytes: Buffer.byteLength(text), text });
  }
  return [...objects.values()];
}

/** A copy in the store that a disk has damaged must not reach others. */
async function refuseDamaged(session: Session, record: RunRecord, files: readonly string[]): Promise<void> {
  let hashes: readonly string[];
  try {
    hashes = await hashFiles(files.map((absolute) => ({ absolute, stamp: readStamp(absolute) })));
  } catch (error) {
    throw incomplete(session, record, error);
  }
  if (files.some((file, i) => hashes[i] !== path.basename(file))) throw incomplete(session, record);
}

function incomplete(session: Session, { id }: RunRecord, cause?: unknown): ReproError {
  return new ReproError('store-incomplete', `the store has lost or damaged files of "${id}"`, {
    where: session.folder.store,
    fix: `If the outputs in place are intact, re-store them: ./repro cache verify. Otherwise make them again: ./repro run --force ${quoteWords([id])}. Then push.`,
    cause,
  });
}
