import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { describeError, ReproError } from '../../errors.ts';
import { canonicalJson } from '../../files/canonical-json.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import { acquireLock } from '../../files/lock.ts';
import {
  type CommittedRecord,
  committedPathOf,
  readCommittedRecord,
  whyUnreadable,
} from '../freshness/committed-records.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import { openSession, type Session, saveDigests } from '../freshness/session.ts';
import { refuseOutstanding } from '../jobs/jobs-folder.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import { digestOutput, executablesOf } from '../store/digest.ts';
import { removeLeftOver, restoreOutputs } from '../store/outputs-in-place.ts';
import { haveSameDigests, type RecordedOutput } from '../store/records.ts';
import { readAction } from './checked-reading.ts';
import { type FetchOptions, fetchFiles, fetchLists, fetchRecord } from './fetch-instance.ts';

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
  /** Files that were set aside, and problems after the outputs were put in place. */
  readonly warning?: string;
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
type Result = Partial<Omit<Pulled, 'id' | 'state'>> & { readonly state: Pulled['state'] };

interface Pull {
  readonly session: Session;
  readonly temporary: string;
  readonly options: PullOptions;
  /** Of the instances so far, which is all that their dependents need. */
  readonly known: Map<string, readonly RecordedOutput[] | 'pending'>;
}

/**
 * Fetches the results of a plan from a remote and puts them in place, without running anything.
 *
 * @throws {ReproError} `locked` if a run holds the folder; `disk-…`; `remote-…` unless it concerns a single object
 */
export function pullPlan(plan: Plan, options: PullOptions): Promise<Pulled[]> {
  return pullEach(plan, options, options.selected, pullPresent);
}

/**
 * Fetches the outputs that the committed records name, and puts them in place. This needs no data and trusts only the committed digests, not
 * the remote.
 *
 * @throws as {@link pullPlan}
 */
export function pullCommitted(plan: Plan, options: PullOptions): Promise<Pulled[]> {
  return pullEach(plan, options, options.named, pullLocked);
}

async function pullEach(
  plan: Plan,
  options: PullOptions,
  ids: ReadonlySet<string>,
  pullOne: (pull: Pull, instance: StageInstance) => Promise<Result>,
): Promise<Pulled[]> {
  const session = openSession(plan, options);
  try {
    const lock = await acquireLock(session.folder.lock);
    const temporary = path.join(session.folder.temporary, `${process.pid}-${randomUUID().slice(0, 8)}`);
    try {
      refuseOutstanding(session.folder);
      await removeLeftOver(session.folder.temporary);
      const pull: Pull = { session, temporary, options, known: new Map() };
      const all: Pulled[] = [];
      for (const [id, instance] of plan.instances) {
        if (!ids.has(id)) continue;
        options.signal?.throwIfAborted();
        const result = await pullOne(pull, instance).catch((error: unknown): Result => {
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

async function pullPresent(pull: Pull, instance: StageInstance): Promise<Result> {
  const { session, options, known } = pull;
  const { id } = instance;
  const check = () => session.freshness.check(instance, (one) => known.get(one));
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
    fetched = { state: 'fetched', ...(await fetchFiles(session, id, record.outputs, options)) };
    await session.records.writeAction(record);
    freshness = await check();
  }
  if (!('record' in freshness)) throw new Error(`${id} was fetched, and yet is not there`);
  known.set(id, freshness.record.outputs);
  if (freshness.kind === 'fresh') {
    if (!freshness.isLast) await session.records.writeLast(freshness.record);
    await session.attempts.drop(id);
    return fetched;
  }
  if (!options.named.has(id)) return fetched;
  await session.records.writeLast(freshness.record);
  const warning = await putInPlace(
    pull,
    id,
    freshness.damaged.map(({ output }) => output),
  );
  const restored = freshness.damaged.flatMap(({ names }) => names);
  return { ...fetched, state: 'fetched', restored, ...warning };
}

async function pullLocked(pull: Pull, instance: StageInstance): Promise<Result> {
  const { session, options } = pull;
  const committed = readCommitted(session.plan, instance);
  const missing: RecordedOutput[] = [];
  for (const output of committed.outputs) if (!(await isInPlace(session, output))) missing.push(output);
  if (missing.length === 0) {
    const warning = await keepRecord(session, committed, options);
    return { state: 'present', ...(warning === undefined ? {} : { warning }) };
  }
  await fetchLists(session, missing, options);
  const fetched = await fetchFiles(session, instance.id, missing, options);
  const aside = await putInPlace(pull, instance.id, missing);
  const unkept = await keepRecord(session, committed, options);
  const warnings = [aside.warning, unkept].filter((one) => one !== undefined);
  const restored = missing.map((output) => output.path);
  const warning = warnings.length === 0 ? {} : { warning: warnings.join('; ') };
  return { state: 'fetched', ...fetched, restored, ...warning };
}

/** @returns what was set aside */
async function putInPlace(
  { session, temporary }: Pull,
  id: string,
  outputs: readonly RecordedOutput[],
): Promise<{ readonly warning?: string }> {
  const told: { warning?: string } = {};
  const tell = (text: string): void => {
    told.warning = text;
  };
  const problem = await restoreOutputs(session, id, outputs, temporary, tell);
  if (problem !== null) throw new ReproError('store-damaged', problem, { fix: 'Pull again.' });
  await session.attempts.drop(id);
  return told;
}

/**
 * Keeps the remote's record, so that a run that has the data finds the outputs, too. Without it, the outputs in place are still right.
 *
 * @returns why it could not be kept
 */
async function keepRecord(
  session: Session,
  { outputs, fingerprint }: CommittedRecord,
  options: PullOptions,
): Promise<string | undefined> {
  if (session.records.findAction(fingerprint) !== null) return undefined;
  try {
    const record = await readAction(options.remote, fingerprint, options);
    if (record !== null && haveSameDigests(record.outputs, outputs))
      await session.records.writeAction({ ...record, outputs });
    return undefined;
  } catch (error) {
    options.signal?.throwIfAborted();
    return `in place, but the record that lets a run find it could not be fetched: ${describeError(error)}`;
  }
}

function readCommitted(plan: Plan, instance: StageInstance): CommittedRecord {
  const committed = readCommittedRecord(plan, instance);
  const where = committedPathOf(plan, instance);
  if (committed === null) {
    throw new ReproError('no-record', `this committed record ${whyUnreadable(plan, instance)}`, {
      where,
      fix: 'Where the results are: `./repro lock`, and commit it.',
    });
  }
  // Pulling replaces files in these places, so only the pipeline may name them.
  if (canonicalJson(committed.outputs.map((output) => output.path)) !== canonicalJson(instance.outputs)) {
    throw new ReproError('no-record', 'the outputs of this committed record differ from those of the stage', {
      where,
      fix: 'Run the stage again where its data are, then `./repro lock`.',
    });
  }
  return committed;
}

/** Whether an output is in place, with the modes that the digest does not cover. */
async function isInPlace({ plan, digests }: Session, output: RecordedOutput): Promise<boolean> {
  const found = await digestOutput(path.resolve(plan.projectRoot, output.path), digests);
  if (found.kind !== output.kind || found.digest !== output.digest) return false;
  const { kind, executable = [] } = output;
  return kind === 'file' || canonicalJson(executablesOf(found.tree)) === canonicalJson(executable);
}

const aboutOne: ReadonlySet<string> = new Set([
  'remote-damaged',
  'remote-untrusted',
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
