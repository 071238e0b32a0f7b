import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../../errors.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import { acquireLock } from '../../files/lock.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import type { Freshness } from '../freshness/freshness.ts';
import { openSession, type Session, saveDigests } from '../freshness/session.ts';
import { refuseOutstanding } from '../jobs/jobs-folder.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import { removeLeftOver, restoreOutputs } from '../store/outputs-in-place.ts';
import type { RecordedOutput } from '../store/records.ts';
import { type FetchOptions, fetchInstance } from './fetch-instance.ts';

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

export interface PullOptions extends Omit<FetchOptions, 'withoutFiles'> {
  readonly facts: Facts;
  /** What to fetch and its dependencies, in plan order. */
  readonly selected: ReadonlySet<string>;
  /** What to fetch. Only the records of the others are read. */
  readonly named: ReadonlySet<string>;
  readonly onPulled?: (pulled: Pulled) => void;
}

/**
 * Fetches the results of a plan from a remote and puts them in place, without running anything.
 *
 * @throws {ReproError} `locked` if a run holds the folder; `disk-…`; `remote-…` unless it concerns a single object
 */
export function pullPlan(plan: Plan, options: PullOptions): Promise<Pulled[]> {
  return pullUnderLock(plan, options, (session, temporary) => pullAll(session, temporary, options));
}

/**
 * Pulls while holding the lock and a folder for incomplete files.
 *
 * @throws as {@link pullPlan}
 */
export async function pullUnderLock(
  plan: Plan,
  options: PullOptions,
  pull: (session: Session, temporary: string) => Promise<Pulled[]>,
): Promise<Pulled[]> {
  const session = openSession(plan, options);
  try {
    const lock = await acquireLock(session.folder.lock);
    const temporary = path.join(session.folder.temporary, `${process.pid}-${randomUUID().slice(0, 8)}`);
    try {
      refuseOutstanding(session.folder);
      await removeLeftOver(session.folder.temporary);
      return await pull(session, temporary);
    } finally {
      await fs.rm(temporary, { recursive: true, force: true });
      await saveDigests(session);
      await lock.release();
    }
  } catch (error) {
    throw explainDiskError(error, { doing: 'results could not be fetched' });
  }
}

async function pullAll(session: Session, temporary: string, options: PullOptions): Promise<Pulled[]> {
  const known = new Map<string, readonly RecordedOutput[] | 'pending'>();
  const all: Pulled[] = [];
  for (const [id, instance] of session.plan.instances) {
    if (!options.selected.has(id)) continue;
    options.signal?.throwIfAborted();
    const { outputs, ...pulled } = await pullOne(session, instance, known, temporary, options);
    known.set(id, outputs ?? 'pending');
    all.push(pulled);
    options.onPulled?.(pulled);
  }
  return all;
}

async function pullOne(
  session: Session,
  instance: StageInstance,
  known: ReadonlyMap<string, readonly RecordedOutput[] | 'pending'>,
  temporary: string,
  options: PullOptions,
): Promise<Pulled & { readonly outputs: readonly RecordedOutput[] | null }> {
  const { id } = instance;
  const base = { id, files: 0, bytes: 0, restored: [], error: undefined, outputs: null };
  const check = () => session.freshness.check(instance, (one) => known.get(one));
  try {
    let freshness = await check();
    if (freshness.kind === 'fresh') {
      if (!freshness.isLast) await session.records.writeLast(freshness.record);
      await session.attempts.drop(id);
      return { ...base, state: 'present', outputs: freshness.record.outputs };
    }
    let fetched = { downloadedFiles: 0, downloadedBytes: 0 };
    const warnings: string[] = [];
    const isNamed = options.named.has(id);
    if (!('record' in freshness)) {
      if (freshness.error !== undefined) throw freshness.error;
      if (freshness.fingerprint === null) return { ...base, state: 'waiting' };
      const found = await fetchInstance(session, id, freshness.fingerprint, {
        ...options,
        withoutFiles: !isNamed,
      });
      if (found === null) return { ...base, state: 'absent' };
      if (!isNamed) return { ...base, state: 'skipped', outputs: found.record.outputs };
      fetched = found;
      freshness = await check();
    } else if (!isNamed) return { ...base, state: 'present', outputs: freshness.record.outputs };
    if (!('record' in freshness)) throw new Error(`${id} was fetched, and yet is not there`);
    const { record } = freshness;
    if (freshness.kind === 'restorable') {
      await session.records.writeLast(record);
      const outputs = freshness.damaged.map(({ output }) => output);
      const problem = await restoreOutputs(session, id, outputs, temporary, (text) => warnings.push(text));
      if (problem !== null) throw new ReproError('store-damaged', problem, { fix: 'Pull again.' });
    }
    await session.attempts.drop(id);
    const damaged = freshness.kind === 'restorable' ? freshness.damaged : [];
    return {
      ...base,
      state: fetched.downloadedFiles > 0 || !('isLast' in freshness) ? 'fetched' : 'present',
      files: fetched.downloadedFiles,
      bytes: fetched.downloadedBytes,
      restored: damaged.flatMap(({ names }) => names),
      outputs: record.outputs,
      ...warningOf(warnings),
    };
  } catch (error) {
    if (!isAboutOne(error)) throw error;
    return { ...base, state: 'failed', error, outputs: await findOutputs(session, id, check, options) };
  }
}

/** The warning as a field of {@link Pulled}. */
export function warningOf(warnings: readonly string[]): Pick<Pulled, 'warning'> {
  return warnings.length === 0 ? {} : { warning: warnings.join('; ') };
}

/** The recorded outputs of an instance whose files cannot be fetched, which is all that its dependents need; null if the record cannot be fetched, either. */
async function findOutputs(
  session: Session,
  id: string,
  check: () => Promise<Freshness>,
  options: PullOptions,
): Promise<readonly RecordedOutput[] | null> {
  try {
    const freshness = await check();
    if ('record' in freshness) return freshness.record.outputs;
    if (freshness.fingerprint === null) return null;
    const found = await fetchInstance(session, id, freshness.fingerprint, { ...options, withoutFiles: true });
    return found?.record.outputs ?? null;
  } catch (error) {
    if (isAboutOne(error)) return null;
    throw error;
  }
}

const aboutOne: ReadonlySet<string> = new Set([
  'remote-damaged',
  'remote-incomplete',
  'remote-unreadable',
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
