import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../../errors.ts';
import type { Executor } from '../../executors/executor.ts';
import type { Tracer } from '../../executors/strace.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import { acquireLock, type Lock } from '../../files/lock.ts';
import { checkCode } from '../freshness/code-closure.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import { openSession, type Session, saveDigests } from '../freshness/session.ts';
import { refuseOutstanding } from '../jobs/jobs-folder.ts';
import { instanceOf } from '../plan/graph.ts';
import type { Plan, Resources } from '../plan/plan.ts';
import { setOptimising } from '../plan/v8-settings.ts';
import { removeLeftOver } from '../store/outputs-in-place.ts';
import { durationOf } from '../store/records.ts';
import { findHostFile } from './confinement.ts';
import type { RunEvent } from './events.ts';
import { execute } from './execution.ts';
import { type ExecutionContext, readRevision, type Work } from './execution-context.ts';
import type { ExpectedTotal } from './expected-time.ts';
import { type MachineResources, measureMachine } from './machine.ts';
import type { OtherMachines, SharedRun, StartOtherMachines } from './other-machines.ts';
import { type FetchStage, Preparation, type Prepared } from './preparation.ts';
import type { Grant } from './reservations.ts';
import { type InstanceResult, type Preparing, schedule } from './scheduler.ts';

export interface RunOptions {
  readonly plan: Plan;
  /** Ids. Outputs of instances not listed are taken from disk as they are. */
  readonly selected: ReadonlySet<string>;
  /** Maximum number of stages at once. */
  readonly jobs: number;
  /** After a failure no more stages start; by default, all that do not depend on it still run. */
  readonly failFast?: boolean;
  /** The GPUs that stages may use, as `CUDA_VISIBLE_DEVICES` takes them; default: all that are found. */
  readonly gpus?: readonly string[];
  /** Runs all, or these, even if nothing changed. */
  readonly force?: ReadonlySet<string> | boolean;
  readonly dryRun?: boolean;
  /** Watches, with strace, what stages touch, and reports what they do not declare. */
  readonly trace?: boolean;
  readonly facts: Facts;
  /** Aborting asks the running stages to stop and starts no more. */
  readonly signal: AbortSignal;
  /** Aborting kills the running stages at once. */
  readonly killSignal?: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
  /** Where to look for results before computing them. */
  readonly fetchStage?: FetchStage | undefined;
  /** Runs some of the instances on other machines. */
  readonly otherMachines?: StartOtherMachines | undefined;
  /** Changes what decisions are based on: the facts of this machine, for example, where another one computes. */
  readonly adaptSession?: ((session: Session) => Session) | undefined;
  readonly cacheRoot?: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** Default: the compiled `dist/stage/host.js`. */
  readonly hostFile?: string;
  /** How long an interrupted stage has to save its work before it is killed; default 10. */
  readonly graceSeconds?: number;
  /** Default: this machine's. */
  readonly machine?: MachineResources;
}

export type RunOutcome = 'ok' | 'failed' | 'interrupted';

/** Enough for a training run to write its last checkpoint. */
const defaultGraceSeconds = 10;

/**
 * Runs the stale part of a plan, in parallel where possible, and reports everything through `onEvent`.
 *
 * @throws {ConfigurationError} before anything runs, if a stage module cannot be compiled
 * @throws {ReproError} `locked` if another run holds the folder, `disk-…` if the cache cannot be written, `trace-unavailable`
 */
export async function runPlan(options: RunOptions): Promise<{ outcome: RunOutcome }> {
  // Not `performance`, which Node loads on first use.
  const startedNs = process.hrtime.bigint();
  const { plan, facts, jobs, onEvent, otherMachines, environment = process.env } = options;
  const opened = openSession(plan, { facts, cacheRoot: options.cacheRoot, environment });
  const session = options.adaptSession?.(opened) ?? opened;
  const ids = [...plan.instances.keys()].filter((id) => options.selected.has(id));
  const isForced = forceCheck(options.force);
  const measure = (wanted: readonly Resources[]): MachineResources =>
    options.machine ?? measureMachine(wanted, { gpus: options.gpus, environment });
  // Until a stage runs.
  setOptimising(false);
  await checkCode(session, ids);
  const tracer = options.trace === true ? await findTracer(environment) : null;
  const lock = options.dryRun === true ? null : await takeLock(session);
  const finish = (outcome: RunOutcome, expected?: ExpectedTotal): { outcome: RunOutcome } => {
    const seconds = Number(process.hrtime.bigint() - startedNs) / 1e9;
    onEvent({ kind: 'run-finished', outcome, seconds, ...(expected === undefined ? {} : { expected }) });
    return { outcome };
  };
  try {
    if (lock !== null && otherMachines === undefined) refuseOutstanding(session.folder);
    onEvent({ kind: 'run-started', ids, jobs });
    if (lock === null) {
      const { rehearse } = await import('./rehearsal.ts');
      const usesOthers = otherMachines !== undefined;
      return finish(
        'ok',
        await rehearse(session, ids, { isForced, facts, jobs, measure, usesOthers, onEvent }),
      );
    }
    // Aborted if the run cannot continue.
    const halt = new AbortController();
    // Once aborted, running instances are asked to end and no more start.
    const signal = AbortSignal.any([options.signal, halt.signal]);
    const shared: SharedRun = {
      ...{ session, ids, isForced, environment, facts, signal, onEvent },
      failFast: options.failFast ?? false,
      temporary: path.join(session.folder.temporary, `${process.pid}-${randomUUID().slice(0, 8)}`),
      fetchStage: options.fetchStage,
      assertLocked: () => refuseLost(lock),
      produced: new Map(),
    };
    const context: ExecutionContext = {
      ...shared,
      ...{ executor: executeLocally, tracer, stop: signal },
      hostFile: () => options.hostFile ?? findHostFile(),
      graceSeconds: options.graceSeconds ?? defaultGraceSeconds,
      kill: options.killSignal ?? new AbortController().signal,
      revision: once(() => readRevision(plan.projectRoot)),
    };
    const leftOver = removeLeftOver(session.folder.temporary);
    const others = (await otherMachines?.(shared)) ?? null;
    const results = await new Run(shared, context, others, () => halt.abort())
      .schedule(jobs, measure)
      .finally(() => others?.end());
    await leftOver;
    if (existsSync(shared.temporary)) {
      await fs.rm(shared.temporary, { recursive: true, force: true }).catch(() => {
        // The next run empties the temporary folder.
      });
    }
    return finish(outcomeOf(ids, results, options.signal.aborted));
  } finally {
    await saveDigests(session);
    await lock?.release();
    setOptimising(true);
  }
}

async function findTracer(environment: NodeJS.ProcessEnv): Promise<Tracer> {
  return (await import('../../executors/strace.ts')).findStrace(environment);
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
    'this run no longer holds the folder: its lock was deleted, or another run took over because it was silent for too long',
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

class Run {
  readonly #shared: SharedRun;
  readonly #context: ExecutionContext;
  readonly #others: OtherMachines | null;
  readonly #halt: () => void;

  constructor(shared: SharedRun, context: ExecutionContext, others: OtherMachines | null, halt: () => void) {
    this.#shared = shared;
    this.#context = context;
    this.#others = others;
    this.#halt = halt;
  }

  async schedule(
    jobs: number,
    measure: (wanted: readonly Resources[]) => MachineResources,
  ): Promise<ReadonlyMap<string, InstanceResult>> {
    const { ids, failFast, signal, onEvent } = this.#shared;
    const { plan, records } = this.#shared.session;
    const others = this.#others;
    const isHere = (id: string): boolean => others?.has(id) !== true;
    const machine = measure(ids.filter(isHere).map((id) => instanceOf(plan, id).resources));
    const preparation = new Preparation({ ...this.#shared, machine });
    const elsewhere = others && new Preparation({ ...this.#shared, machine: others.machine });
    return schedule({
      ...{ ids, jobs, failFast, machine, signal },
      dependenciesOf: (id) => plan.dependencies.get(id) ?? [],
      resourcesOf: (id) => {
        const { resources } = instanceOf(plan, id);
        return isHere(id) ? resources : { ...resources, cpu: 0, memoryBytes: 0, gpu: 0 };
      },
      secondsOf: (id) => {
        const last = records.findLast(id);
        return last === null ? null : durationOf(last);
      },
      halt: this.#halt,
      prepare: (id) => this.#prepare(isHere(id) || elsewhere === null ? preparation : elsewhere, id),
      onBlocked: (id, by) => onEvent({ kind: 'blocked', id, by }),
    });
  }

  async #prepare(preparation: Preparation, id: string): Promise<Preparing> {
    const runnable = (prepared: Prepared) =>
      typeof prepared === 'string' ? prepared : (grant: Grant) => this.#execute({ ...prepared, grant });
    const prepared = await preparation.prepare(instanceOf(this.#shared.session.plan, id));
    return typeof prepared === 'object' && 'pending' in prepared
      ? { pending: prepared.pending.then(runnable) }
      : runnable(prepared);
  }

  async #execute(work: Work): Promise<InstanceResult> {
    setOptimising(true);
    const result = await this.#executeThere(work);
    if (result === 'failed' && this.#shared.failFast) await this.#others?.cancelWaiting();
    if (typeof result === 'string') return result;
    this.#shared.produced.set(work.instance.id, result.outputs);
    return 'done';
  }

  #executeThere(work: Work): ReturnType<typeof execute> {
    const { id } = work.instance;
    if (this.#others?.has(id) !== true) return execute(this.#context, work);
    const there = { ...work, grant: { cpus: this.#others.cpusOf(id), gpus: [] } };
    return execute({ ...this.#context, remote: this.#others.executionOf(there) }, there);
  }
}

/** Loaded only when a stage has to run: most runs start nothing. */
const executeLocally: Executor = async (launch) =>
  (await import('../../executors/local.ts')).runLocally(launch);

function once<T>(compute: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | null = null;
  return () => {
    value ??= compute();
    return value;
  };
}

/** Which instances run even if nothing changed: all, or these. */
function forceCheck(force: ReadonlySet<string> | boolean | undefined): (id: string) => boolean {
  return typeof force === 'object' ? (id) => force.has(id) : () => force === true;
}
