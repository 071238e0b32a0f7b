import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../../errors.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import { acquireLock } from '../../files/lock.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import { checkFreshness } from '../freshness/freshness.ts';
import { openSession, type Session, saveDigests } from '../freshness/session.ts';
import { refuseOutstanding } from '../jobs/jobs-folder.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import { removeLeftOver, restoreOutputs } from '../store/outputs-in-place.ts';
import type { RecordedOutput } from '../store/records.ts';
import { fetchOutputFiles, fetchRecord, type RemoteFetchOptions } from './fetch-instance.ts';

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

export interface PullOptions extends RemoteFetchOptions {
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
export async function pullPlan(plan: Plan, options: PullOptions): Promise<Pulled[]> {
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
        if (!options.selected.has(id)) continue;
        options.signal?.throwIfAborted();
        const result = await pullPresent(pull, instance).catch((error: unknown): Result => {
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
    fetched = { state: 'fetched', ...(await fetchOutputFiles(session, id, record.outputs, options)) };
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
