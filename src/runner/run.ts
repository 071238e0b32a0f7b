import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../errors.ts';
import type { Executor } from '../executors/executor.ts';
import type { Tracer } from '../executors/strace/strace.ts';
import { explainDiskError } from '../files/disk-error.ts';
import { acquireLock, type Lock } from '../files/lock.ts';
import type { ElsewhereRun, RunSurroundings } from './elsewhere.ts';
import type { ExpectedTotal } from './expected-time.ts';
import { forceCheck } from './force.ts';
import { checkCode } from './freshness/code-check.ts';
import { refuseOutstanding } from './jobs/jobs-folder.ts';
import type { StageInstance } from './plan/plan.ts';
import { Preparation, type Prepared } from './preparation.ts';
import { execute } from './run/execution.ts';
import type { ExecutionContext, Work } from './run/execution-context.ts';
import { findHostFile } from './run/host-file.ts';
import { removeLeftOver } from './run/left-over.ts';
import { measureMachine } from './run/machine.ts';
import type { Grant } from './run/reservations.ts';
import { type InstanceResult, type Preparing, schedule } from './run/scheduler.ts';
import type { RunOptions } from './run-options.ts';
import { openSession, type Session, saveDigests } from './session.ts';
import { durationOf } from './store/duration.ts';
import type { RecordedOutput, RunRecord } from './store/records.ts';
import { restoreSettings, setOptimising } from './v8-settings.ts';

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
  const opened = openSession(options.plan, options);
  const session = options.adaptSession?.(opened) ?? opened;
  const ids = [...options.plan.instances.keys()].filter((id) => options.selected.has(id));
  // Until a stage runs.
  setOptimising(false, ids.length);
  await checkCode(session, ids);
  const tracer = options.trace === true ? await findTracer(options.environment ?? process.env) : null;
  const lock = options.dryRun === true ? null : await takeLock(session);
  const finish = (outcome: RunOutcome, expected?: ExpectedTotal): { outcome: RunOutcome } => {
    const seconds = Number(process.hrtime.bigint() - startedNs) / 1e9;
    options.onEvent({
      kind: 'run-finished',
      outcome,
      seconds,
      ...(expected === undefined ? {} : { expected }),
    });
    return { outcome };
  };
  try {
    if (lock !== null && options.elsewhere === undefined) refuseOutstanding(session.folder);
    options.onEvent({ kind: 'run-started', ids, jobs: options.jobs });
    if (lock === null) {
      return finish(
        'ok',
        await (await import('./rehearsal.ts')).rehearse(options, session, ids, forceCheck(options.force)),
      );
    }
    return finish(await new Run(options, session, lock, tracer).run(ids));
  } finally {
    await saveDigests(session);
    await lock?.release();
    restoreSettings();
  }
}

async function findTracer(environment: NodeJS.ProcessEnv): Promise<Tracer> {
  return (await import('../executors/strace/strace.ts')).findStrace(environment);
}

async function takeLock(session: Session): Promise<Lock> {
  try {
    return await acquireLock(session.folder.lock);
  } catch (error) {
    throw explainDiskError(error, { doing: 'a run needs to write to its cache', keepsWork: true });
  }
}

class Run {
  readonly #options: RunOptions;
  readonly #session: Session;
  readonly #temporary: string;
  readonly #context: ExecutionContext;
  /** Aborted if the run cannot go on. */
  readonly #halt = new AbortController();
  /** Asks what is under way to end, and starts nothing more. */
  readonly #stop: AbortSignal;
  readonly #produced = new Map<string, readonly RecordedOutput[]>();

  constructor(options: RunOptions, session: Session, lock: Lock, tracer: Tracer | null) {
    this.#options = options;
    this.#session = session;
    this.#stop = AbortSignal.any([options.signal, this.#halt.signal]);
    this.#temporary = path.join(session.folder.temporary, `${process.pid}-${randomUUID().slice(0, 8)}`);
    this.#context = {
      session,
      executor: executeLocally,
      hostFile: () => options.hostFile ?? findHostFile(),
      temporary: this.#temporary,
      environment: options.environment ?? process.env,
      facts: options.facts,
      tracer,
      graceSeconds: options.graceSeconds ?? defaultGraceSeconds,
      stop: this.#stop,
      kill: options.killSignal ?? new AbortController().signal,
      onEvent: options.onEvent,
      revision: once(async () => (await import('./run/revision.ts')).readRevision(session.plan.projectRoot)),
      assertLocked: () => {
        if (!lock.isLost()) return;
        throw new ReproError(
          'lock-lost',
          'this run no longer holds the folder: its lock was deleted, or another run took over because it was silent for too long',
          { fix: 'Finished work is kept. Run again when no other run is active.' },
        );
      },
    };
  }

  async run(ids: readonly string[]): Promise<RunOutcome> {
    const leftOver = removeLeftOver(this.#session.folder.temporary);
    const surroundings: RunSurroundings = {
      ...this.#context,
      ids,
      isForced: forceCheck(this.#options.force),
      failFast: this.#options.failFast ?? false,
      signal: this.#stop,
      fetchStage: this.#options.fetchStage,
      produced: this.#produced,
    };
    const elsewhere = (await this.#options.elsewhere?.(surroundings)) ?? null;
    const results = await this.#schedule(surroundings, elsewhere).catch(async (error: unknown) => {
      await elsewhere?.abandon();
      throw error;
    });
    await elsewhere?.end(results);
    await leftOver;
    if (existsSync(this.#temporary)) {
      await fs.rm(this.#temporary, { recursive: true, force: true }).catch(() => {
        // The next run empties the temporary folder.
      });
    }
    if (this.#options.signal.aborted) {
      const isDone = ids.every((id) => results.get(id) === 'hit' || results.get(id) === 'done');
      return isDone ? 'ok' : 'interrupted';
    }
    return [...results.values()].includes('failed') ? 'failed' : 'ok';
  }

  async #schedule(
    surroundings: RunSurroundings,
    elsewhere: ElsewhereRun | null,
  ): Promise<ReadonlyMap<string, InstanceResult>> {
    const { plan, records } = this.#session;
    const { ids, failFast, signal } = surroundings;
    const here = ids.filter((id) => elsewhere?.has(id) !== true);
    const wanted = here.map((id) => this.#instance(id).resources);
    const machine = this.#options.machine ?? (await measureMachine(wanted, this.#options));
    const preparation = new Preparation({ ...surroundings, machine });
    return schedule({
      ids,
      dependenciesOf: (id) => plan.dependencies.get(id) ?? [],
      resourcesOf: (id) => this.#instance(id).resources,
      secondsOf: (id) => expectedOf(records.findLast(id)),
      jobs: this.#options.jobs,
      failFast,
      machine,
      // Whoever waits for other machines needs nothing of this one.
      ...(elsewhere === null ? {} : { pendingAtMost: Number.POSITIVE_INFINITY }),
      signal,
      halt: () => this.#halt.abort(),
      prepare: (id) => this.#prepare(preparation, elsewhere, id),
      onBlocked: (id, by) => this.#options.onEvent({ kind: 'blocked', id, by }),
    });
  }

  #instance(id: string): StageInstance {
    const instance = this.#session.plan.instances.get(id);
    if (instance === undefined) throw new Error(`no instance "${id}" in the plan`);
    return instance;
  }

  async #prepare(preparation: Preparation, elsewhere: ElsewhereRun | null, id: string): Promise<Preparing> {
    if (elsewhere?.has(id) === true) return elsewhere.prepare(id);
    const runnable = (prepared: Prepared) =>
      typeof prepared === 'string'
        ? prepared
        : (grant: Grant) => this.#execute({ ...prepared, grant }, elsewhere);
    const prepared = await preparation.prepare(this.#instance(id));
    return typeof prepared === 'object' && 'pending' in prepared
      ? { pending: prepared.pending.then(runnable) }
      : runnable(prepared);
  }

  async #execute(work: Work, elsewhere: ElsewhereRun | null): Promise<InstanceResult> {
    setOptimising(true);
    const result = await execute(this.#context, work);
    if (result === 'failed' && this.#options.failFast === true) await elsewhere?.cancelWaiting();
    if (typeof result === 'string') return result;
    this.#produced.set(work.instance.id, result.outputs);
    return 'done';
  }
}

function expectedOf(record: RunRecord | null): number | null {
  return record === null ? null : durationOf(record);
}

/** Loaded only when a stage has to run: most runs start nothing. */
const executeLocally: Executor = async (launch) => (await import('../executors/local.ts')).runLocally(launch);

function once<T>(compute: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | null = null;
  return () => {
    value ??= compute();
    return value;
  };
}
