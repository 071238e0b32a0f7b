import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../../base/errors.ts';
import { explainDiskError } from '../../base/files/disk-error.ts';
import { acquireLock, type Lock } from '../../base/files/lock.ts';
import { checkCode } from '../freshness/code-closure.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import { openSession, type Session, saveDigests } from '../freshness/session.ts';
import { refuseOutstanding } from '../jobs/jobs-folder.ts';
import { instanceOf } from '../plan/graph.ts';
import type { Plan, Resources } from '../plan/plan.ts';
import { removeLeftOver } from '../store/outputs-in-place.ts';
import type { RunEvent } from './events.ts';
import { execute } from './execution.ts';
import type {
  ExecutionContext,
  FetchStage,
  OtherMachines,
  StartOtherMachines,
  Work,
} from './execution-context.ts';
import { type MachineResources, measureMachine } from './machine.ts';
import { type Prepared, prepare, prepareAgain, rehearse } from './preparation.ts';
import { type Grant, type InstanceResult, schedule } from './scheduler.ts';
import { findHostFile } from './stage-task.ts';

export interface PlanRunOptions {
  readonly plan: Plan;
  /** Ids. Outputs of instances not listed are taken from disk as they are. */
  readonly selected: ReadonlySet<string>;
  readonly jobs: number;
  /** After a failure no more stages start; by default, all that do not depend on it still run. */
  readonly failFast?: boolean;
  /** The GPUs that stages may use, as `CUDA_VISIBLE_DEVICES` takes them; default: all that are found. */
  readonly gpus?: readonly string[] | undefined;
  /** Runs all, or these, even if nothing changed. */
  readonly force?: ReadonlySet<string> | boolean;
  readonly dryRun?: boolean;
  readonly facts: Facts;
  /** Aborting asks the running stages to stop and starts no more. */
  readonly signal: AbortSignal;
  /** Aborting kills the running stages at once. */
  readonly killSignal?: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
  readonly fetchStage?: FetchStage | undefined;
  readonly otherMachines?: StartOtherMachines | undefined;
  /** Changes what decisions are based on: the facts of this machine, for example, where another one computes. */
  readonly adaptSession?: ((session: Session) => Session) | undefined;
  readonly environment?: NodeJS.ProcessEnv;
  /** Default: the compiled `dist/runner/stage/host.js`. */
  readonly hostFile?: string;
  /** How long an interrupted stage has to save its work before it is killed; default 10. */
  readonly graceSeconds?: number;
  readonly machine?: MachineResources;
}

export type RunOutcome = 'ok' | 'failed' | 'interrupted';

/** Enough for a training run to write its last checkpoint. */
const defaultGraceSeconds = 10;

/**
 * Runs the stale part of a plan, in parallel where possible, and reports everything through `onEvent`.
 *
 * @throws {ConfigurationError} before anything runs, if a stage module cannot be compiled
 * @throws {ReproError} `locked` if another run holds the folder, `disk-…` if the cache cannot be written
 */
export async function runPlan(options: PlanRunOptions): Promise<{ outcome: RunOutcome }> {
  // Not `performance`, which Node loads on first use.
  const startedNs = process.hrtime.bigint();
  const { plan, facts, jobs, onEvent, force = false, otherMachines, environment = process.env } = options;
  const opened = openSession(plan, { facts, environment });
  const session = options.adaptSession?.(opened) ?? opened;
  const ids = [...plan.instances.keys()].filter((id) => options.selected.has(id));
  const isForced = (id: string): boolean => (typeof force === 'object' ? force.has(id) : force);
  const measure = (wanted: readonly Resources[]): MachineResources =>
    options.machine ?? measureMachine(wanted, { gpus: options.gpus, environment });
  await checkCode(session, ids);
  const lock = options.dryRun === true ? null : await takeLock(session);
  const finish = (outcome: RunOutcome): { outcome: RunOutcome } => {
    const seconds = Number(process.hrtime.bigint() - startedNs) / 1e9;
    onEvent({ kind: 'run-finished', outcome, seconds });
    return { outcome };
  };
  try {
    if (lock !== null && otherMachines === undefined) refuseOutstanding(session.folder);
    onEvent({ kind: 'run-started', ids, jobs });
    if (lock === null) {
      // A cluster, not the runner, knows what its machines have.
      await rehearse(session, ids, {
        isForced,
        measure: otherMachines === undefined ? measure : null,
        onEvent,
      });
      return finish('ok');
    }
    // Aborted if the run cannot continue.
    const halt = new AbortController();
    const context: ExecutionContext = {
      ...{ session, ids, isForced, environment, facts, onEvent },
      failFast: options.failFast ?? false,
      temporary: path.join(session.folder.temporary, `${process.pid}-${randomUUID().slice(0, 8)}`),
      fetchStage: options.fetchStage,
      signal: AbortSignal.any([options.signal, halt.signal]),
      assertLocked: () => refuseLost(lock),
      produced: new Map(),
      sources: new Map(),
      // Loaded only when a stage has to run: most runs start nothing.
      executor: async (launch) => (await import('../executors/local.ts')).runLocally(launch),
      hostFile: () => options.hostFile ?? findHostFile(),
      graceSeconds: options.graceSeconds ?? defaultGraceSeconds,
      kill: options.killSignal ?? new AbortController().signal,
    };
    const leftOver = removeLeftOver(session.folder.temporary);
    const others = (await otherMachines?.(context)) ?? null;
    const results = await runInstances(context, others, { jobs, measure, halt: () => halt.abort() }).finally(
      () => others?.end(),
    );
    await leftOver;
    if (existsSync(context.temporary)) {
      await fs.rm(context.temporary, { recursive: true, force: true }).catch(() => {
        // The next run empties the temporary folder.
      });
    }
    return finish(outcomeOf(ids, results, options.signal.aborted));
  } finally {
    await saveDigests(session);
    await lock?.release();
  }
}

async function takeLock(session: Session): Promise<Lock> {
  try {
    return await acquireLock(session.folder.lock);
  } catch (error) {
    throw explainDiskError(error, { doing: 'a run needs to write to its cache', keepsWork: true });
  }
}

function refuseLost(lock: Lock): void {
  if (!lock.isLost()) return;
  throw new ReproError(
    'lock-lost',
    'this run no longer holds the folder: its lock was deleted, or another run took over because this one was silent for too long',
    { fix: 'Finished work is kept. Run again when no other run is active.' },
  );
}

function outcomeOf(
  ids: readonly string[],
  results: ReadonlyMap<string, InstanceResult>,
  isAborted: boolean,
): RunOutcome {
  if (isAborted) {
    const isDone = ids.every((id) => results.get(id) === 'hit' || results.get(id) === 'done');
    return isDone ? 'ok' : 'interrupted';
  }
  return [...results.values()].includes('failed') ? 'failed' : 'ok';
}

/** Runs all instances, each here or on other machines. */
function runInstances(
  context: ExecutionContext,
  others: OtherMachines | null,
  options: {
    readonly jobs: number;
    readonly halt: () => void;
    readonly measure: (wanted: readonly Resources[]) => MachineResources;
  },
): Promise<ReadonlyMap<string, InstanceResult>> {
  const { session, ids, failFast, signal, produced, onEvent } = context;
  const { plan } = session;
  const isHere = (id: string): boolean => others?.has(id) !== true;
  const machine = options.measure(ids.filter(isHere).map((id) => instanceOf(plan, id).resources));

  const executeWork = (work: Work): ReturnType<typeof execute> => {
    const { id } = work.instance;
    if (others === null || isHere(id)) return execute(context, work);
    const there = { ...work, grant: { cpus: others.cpusOf(id), gpus: [] } };
    return execute({ ...context, remote: others.executionOf(there) }, there);
  };
  const run = async (prepared: Work): Promise<InstanceResult> => {
    const work = await prepareAgain(context, prepared);
    const result = typeof work === 'string' ? work : await executeWork({ ...work, grant: prepared.grant });
    if (result === 'failed' && failFast) await others?.cancelWaiting();
    if (typeof result === 'string') return result;
    produced.set(prepared.instance.id, result.outputs);
    return 'done';
  };
  const runnable = (prepared: Prepared) =>
    typeof prepared === 'string' ? prepared : (grant: Grant) => run({ ...prepared, grant });

  return schedule({
    ...{ ids: inRunOrder(plan, ids), jobs: options.jobs, failFast, machine, signal, halt: options.halt },
    dependenciesOf: (id) => plan.dependencies.get(id) ?? [],
    resourcesOf: (id) => {
      const { resources } = instanceOf(plan, id);
      return isHere(id) ? resources : { ...resources, cpu: 0, memoryBytes: 0, gpu: 0 };
    },
    prepare: async (id) => {
      const where = { machine: isHere(id) ? machine : null };
      const prepared = await prepare({ ...context, ...where }, instanceOf(plan, id));
      return typeof prepared === 'object' && 'pending' in prepared
        ? { pending: prepared.pending.then(runnable) }
        : runnable(prepared);
    },
    onBlocked: (id, by) => onEvent({ kind: 'blocked', id, by }),
  });
}

/** By the last value of the matrix: a run that is stopped early then has all models of some seeds, not some models of all seeds. */
function inRunOrder(plan: Plan, ids: readonly string[]): string[] {
  const rowOf = (id: string) => Object.values(instanceOf(plan, id).matrix).at(-1);
  const ranks = new Map([...new Set(ids.map(rowOf))].map((row, rank) => [row, rank]));
  return ids.toSorted((a, b) => ranks.get(rowOf(a))! - ranks.get(rowOf(b))!);
}
