import { hasErrorCode, ReproError } from '../../errors.ts';
import { canonicalJson } from '../../files/canonical-json.ts';
import { quoteWords } from '../../files/shell-words.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import { checkAll, openSession, type Session, saveDigests } from '../freshness/session.ts';
import type { Plan } from '../plan/plan.ts';
import type { Tree } from '../store/digest.ts';
import { withoutPlaces } from '../store/fingerprint-parts.ts';
import { hashFiles } from '../store/hash-files.ts';
import { haveSameDigests, type RunRecord } from '../store/records.ts';
import { readStamp } from '../store/tree.ts';
import { type ExpectedFile, isIntact, readAction, readTree } from './checked-reading.ts';
import { isAboutOne } from './pull-plan.ts';
import {
  actionKeyOf,
  fileKeyOf,
  type Remote,
  type TransferProgress,
  transferAll,
  treeKeyOf,
} from './remote.ts';

export interface PushedInstance extends Omit<Pushed, 'kind'> {
  readonly id: string;
  /** `stale`: it has no result to upload. */
  readonly state: Pushed['kind'] | 'stale' | 'failed';
  readonly error: unknown;
}

export interface PushPlanOptions extends PushOptions {
  readonly facts: Facts;
  readonly selected: ReadonlySet<string>;
  readonly onPushed?: (pushed: PushedInstance) => void;
}

/**
 * Uploads the results of a plan that are up to date. Needs no lock: it only reads what a run never changes.
 *
 * @throws {ReproError} `remote-…`
 */
export async function pushPlan(plan: Plan, options: PushPlanOptions): Promise<PushedInstance[]> {
  const session = openSession(plan, options);
  const ids = [...plan.instances.keys()].filter((id) => options.selected.has(id));
  const all: PushedInstance[] = [];
  for await (const { instance, freshness } of checkAll(session, ids, () => false)) {
    options.signal?.throwIfAborted();
    const { id } = instance;
    const nothing = { id, uploadedFiles: 0, uploadedBytes: 0, replaced: [], other: null, error: undefined };
    let pushed: PushedInstance;
    if (!('record' in freshness)) pushed = { ...nothing, state: 'stale' };
    else {
      try {
        const { kind, ...figures } = await pushInstance(session, freshness.record, options);
        pushed = { ...nothing, ...figures, state: kind };
      } catch (error) {
        // A folder in place of an object cannot be replaced, and a link to itself not even looked at.
        if (!isAboutOne(error) && !hasErrorCode(error, 'store-incomplete', 'EISDIR', 'ELOOP')) throw error;
        pushed = { ...nothing, state: 'failed', error };
      }
    }
    all.push(pushed);
    options.onPushed?.(pushed);
  }
  await saveDigests(session);
  return all;
}

export interface Pushed {
  /** `theirs`: the remote has different results of the same fingerprint, which were kept. */
  readonly kind: 'pushed' | 'present' | 'theirs';
  readonly uploadedFiles: number;
  readonly uploadedBytes: number;
  /** Keys of objects that were damaged and have been replaced. */
  readonly replaced: readonly string[];
  /** The remote's record, if it is different. */
  readonly other: RunRecord | null;
}

export interface PushOptions {
  readonly remote: Remote;
  /** Whether to read what the remote has, instead of trusting names and sizes. */
  readonly isVerified: boolean;
  readonly onProgress?: (progress: TransferProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Uploads an instance's results: files, then lists, then the record, so that even after a kill no record lacks its files. Objects that the
 * remote already has, by name and size, are not uploaded again.
 *
 * @throws {ReproError} `store-incomplete` if the store does not have all of it, `remote-…`
 */
export async function pushInstance(
  session: Session,
  record: RunRecord,
  options: PushOptions,
): Promise<Pushed> {
  const { remote, signal } = options;
  const key = actionKeyOf(record.fingerprint);
  const theirs = await settle(readAction(remote, record.fingerprint, signal));
  const isOther = theirs.value !== null && !haveSameDigests(theirs.value.outputs, record.outputs);
  if (theirs.value !== null && isOther && (await isWhole(theirs.value, options))) {
    return { kind: 'theirs', uploadedFiles: 0, uploadedBytes: 0, replaced: [], other: theirs.value };
  }
  const { files, trees } = await readContent(session, record);
  const wanted: (ExpectedFile & { readonly source: string })[] = [];
  const replaced: string[] = theirs.isDamaged ? [key] : [];
  await transferAll(
    files,
    async (file) => {
      const state = await stateOf(file, options);
      if (state === 'intact') return;
      if (state === 'damaged') replaced.push(fileKeyOf(file.sha256));
      const source = await session.store.findFile(file.sha256, file.size);
      if (source === null) throw incomplete(session, record);
      wanted.push({ ...file, source });
    },
    signal,
  );
  await refuseDamaged(session, record, wanted);
  await upload(session, record, wanted, options);
  let written = 0;
  for (const [digest, tree] of trees) {
    const present = await settle(readTree(remote, digest, signal));
    if (present.value !== null) continue;
    if (present.isDamaged) replaced.push(treeKeyOf(digest));
    await remote.write(treeKeyOf(digest), canonicalJson(tree));
    written += 1;
  }
  const isNew = theirs.value === null || isOther;
  if (isNew)
    await remote.write(
      key,
      `${JSON.stringify({ ...record, parts: withoutPlaces(record.parts) }, null, 2)}\n`,
    );
  return {
    kind: isNew || wanted.length > 0 || written > 0 ? 'pushed' : 'present',
    uploadedFiles: wanted.length,
    uploadedBytes: wanted.reduce((sum, { size }) => sum + size, 0),
    replaced: replaced.sort(),
    other: null,
  };
}

async function upload(
  session: Session,
  record: RunRecord,
  wanted: readonly (ExpectedFile & { readonly source: string })[],
  { remote, onProgress, signal }: PushOptions,
): Promise<void> {
  const totalBytes = wanted.reduce((sum, { size }) => sum + size, 0);
  let doneBytes = 0;
  await transferAll(
    wanted,
    async ({ sha256, size, source }) => {
      await remote.upload(fileKeyOf(sha256), source, size, signal).catch(async (error: unknown) => {
        signal?.throwIfAborted();
        // Removed meanwhile by `repro gc`, say.
        const isHere = (await session.store.findFile(sha256, size)) !== null;
        throw isHere ? error : incomplete(session, record, error);
      });
      doneBytes += size;
      onProgress?.({ id: record.id, doneBytes, totalBytes });
    },
    signal,
  );
}

/** The files and lists of a record's outputs; each once. */
async function readContent(
  session: Session,
  record: RunRecord,
): Promise<{ files: ExpectedFile[]; trees: Map<string, Tree> }> {
  const files = new Map<string, ExpectedFile>();
  const trees = new Map<string, Tree>();
  for (const { kind, digest, sizeBytes } of record.outputs) {
    if (kind === 'file') {
      files.set(digest, { sha256: digest, size: sizeBytes });
      continue;
    }
    const tree = await session.store.findTree(digest);
    if (tree === null) throw incomplete(session, record);
    trees.set(digest, tree);
    for (const { sha256, size } of tree.entries) files.set(sha256, { sha256, size });
  }
  return { files: [...files.values()], trees };
}

async function stateOf(
  file: ExpectedFile,
  { remote, isVerified, signal }: PushOptions,
): Promise<'absent' | 'intact' | 'damaged'> {
  const size = await remote.sizeOf(fileKeyOf(file.sha256));
  if (size === null) return 'absent';
  if (size !== file.size) return 'damaged';
  return !isVerified || (await isIntact(remote, file, signal)) ? 'intact' : 'damaged';
}

/** Whether a remote has everything that a record of it names. */
async function isWhole(record: RunRecord, options: PushOptions): Promise<boolean> {
  const { remote, signal } = options;
  for (const { kind, digest, sizeBytes } of record.outputs) {
    const tree =
      kind === 'folder'
        ? (await settle(readTree(remote, digest, signal))).value
        : { entries: [{ path: '', sha256: digest, size: sizeBytes }] };
    if (tree === null) return false;
    for (const file of tree.entries) {
      if ((await stateOf(file, options)) !== 'intact') return false;
    }
  }
  return true;
}

/** A copy in the store that a disk has damaged must not reach others. */
async function refuseDamaged(
  session: Session,
  record: RunRecord,
  wanted: readonly (ExpectedFile & { readonly source: string })[],
): Promise<void> {
  let hashes: string[];
  try {
    hashes = await hashFiles(wanted.map(({ source }) => ({ absolute: source, stamp: readStamp(source) })));
  } catch (error) {
    // Removed meanwhile by `repro gc`, say, or on a damaged part of the disk.
    if (hasErrorCode(error, 'ENOENT', 'file-changed', 'EISDIR', 'EIO', 'EACCES')) {
      throw incomplete(session, record, error);
    }
    throw error;
  }
  if (wanted.some(({ sha256 }, i) => hashes[i] !== sha256)) throw incomplete(session, record);
}

/** A damaged object counts as absent, and is replaced. */
async function settle<T>(reading: Promise<T | null>): Promise<{ value: T | null; isDamaged: boolean }> {
  try {
    return { value: await reading, isDamaged: false };
  } catch (error) {
    if (error instanceof ReproError && error.code === 'remote-damaged')
      return { value: null, isDamaged: true };
    throw error;
  }
}

function incomplete(session: Session, { id }: RunRecord, cause?: unknown): ReproError {
  return new ReproError('store-incomplete', `the store has lost or damaged files of "${id}"`, {
    where: session.folder.store,
    fix: `Make them again, then push: ./repro run --force ${quoteWords([id])}`,
    cause,
  });
}
