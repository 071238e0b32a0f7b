import { ReproError } from '../../errors.ts';
import { type ClusterFacts, Slurm } from '../../executors/slurm/slurm.ts';
import { jobOf, type PlacedJob, type PlanSelection } from '../jobs/batch.ts';
import { findBatches, listOutstanding } from '../jobs/jobs-folder.ts';
import {
  forgetCancellation,
  noteBegun,
  recordSubmittedRun,
  removeFinishedBatches,
  removeSubmittedRun,
} from '../jobs/submitted-run.ts';
import type { StageInstance } from '../plan/plan.ts';
import { describeFailure } from '../run/execution.ts';
import type { OtherMachines, SharedRun, StartOtherMachines } from '../run/other-machines.ts';
import type { InstanceResult, Preparing } from '../run/scheduler.ts';
import { logFileOf } from '../store/cache-folder.ts';
import { ClusterFreshness } from './cluster-freshness.ts';
import type { ClusterSettings } from './cluster-settings.ts';
import { finishInstance } from './conclusion.ts';
import { findExistingJobs } from './existing-jobs.ts';
import { findSubmissionWarnings, mutexOf, staysLocal } from './instance-request.ts';
import { JobQueue } from './job-queue.ts';
import { JobWatch, type Settled } from './job-watch.ts';
import { Submitter } from './submitter.ts';
import { UnneededJobs } from './unneeded-jobs.ts';

export interface ClusterOptions {
  readonly settings: ClusterSettings;
  readonly selection: PlanSelection;
  /** Words that start the runner on a node: Node.js and the program. */
  readonly runner: readonly string[];
  /** Whether to submit and leave, rather than to wait. */
  readonly isDetached: boolean;
  /** Whether jobs that have failed meanwhile are told as failures, rather than submitted again. */
  readonly isAttached: boolean;
}

/** Runs the instances of a run that do not stay here as jobs of Slurm. */
export function runOnSlurm(options: ClusterOptions): StartOtherMachines {
  return async (surroundings) => {
    await forgetCancellation(surroundings.session.folder.jobs);
    const slurm = new Slurm(surroundings.environment);
    const facts = await slurm.describe();
    const run = new ClusterRun(surroundings, options, slurm, facts);
    try {
      await run.begin();
    } catch (error) {
      await run.abandon();
      const { folder } = surroundings.session;
      surroundings.assertLocked();
      // What was submitted before stays, and is found by the next command.
      const { batches, problems } = findBatches(folder.jobs);
      if (batches.length === 0 && problems.length === 0) await removeSubmittedRun(folder);
      throw withJobsThatGoOn(error, listOutstanding(folder).length);
    }
    return run;
  };
}

/** Says of a run that has not begun as a whole what of it has. */
function withJobsThatGoOn(error: unknown, count: number): unknown {
  if (!(error instanceof ReproError) || error.code !== 'slurm-refused' || count === 0) return error;
  const { code, message, where, fix, cause } = error;
  const [jobs, them] =
    count === 1
      ? ['1 job submitted before continues', 'it']
      : [`${count} jobs submitted before continue`, 'them'];
  const more = `${jobs}: \`./repro attach\` waits for ${them}, \`./repro cancel\` ends ${them}.`;
  return new ReproError(code, message, { where, fix: `${fix}\n${more}`, cause });
}

type Followed = InstanceResult | 'dropped';

/** Runs the instances of a run that do not stay here as jobs of one cluster. */
class ClusterRun implements OtherMachines {
  readonly #surroundings: SharedRun;
  readonly #options: ClusterOptions;
  readonly #slurm: Slurm;
  readonly #facts: ClusterFacts;
  readonly #freshness: ClusterFreshness;
  readonly #queue: JobQueue;
  readonly #watch: JobWatch;
  /** Whose earlier jobs were told to run in any case, and go on. */
  readonly #forced = new Set<string>();
  /** What needs no job. */
  readonly #settled = new Map<string, InstanceResult>();
  readonly #following = new Map<string, Promise<Followed>>();
  /** Where jobs would say how they ended that had ended before. */
  #endFiles: ReadonlySet<string> = new Set();
  readonly #unneeded: UnneededJobs;
  /** Why nothing more is to be submitted, if another command has said so. */
  #cancellation: ReproError | null = null;
  /** Aborted once nothing more is to be submitted. */
  readonly #enough = new AbortController();

  constructor(asked: SharedRun, options: ClusterOptions, slurm: Slurm, facts: ClusterFacts) {
    // A job that was to run in any case, and goes on, is none that need not run.
    const isForced = (id: string): boolean => asked.isForced(id) || this.#forced.has(id);
    const surroundings = { ...asked, isForced };
    this.#surroundings = surroundings;
    this.#options = options;
    this.#slurm = slurm;
    this.#facts = facts;
    const { settings, isAttached, isDetached } = options;
    this.#freshness = new ClusterFreshness(surroundings);
    this.#unneeded = new UnneededJobs(surroundings, slurm);
    const signal = AbortSignal.any([surroundings.signal, this.#enough.signal]);
    const onPause = (id: string, why: string): void => {
      surroundings.onEvent({ kind: 'note', id, level: 'warning', text: why });
      this.#queue.pause();
    };
    this.#queue = new JobQueue({
      ...{ surroundings, isAttached, continuations: settings.continuations },
      submitter: new Submitter(surroundings, {
        ...{ ...options, slurm, facts, signal },
        onPause: isDetached ? null : onPause,
      }),
      onJob: (id, job) =>
        this.#following.set(id, isDetached ? this.#leave(id, job) : this.#conclude(id, job)),
    });
    this.#watch = new JobWatch({ ...settings, slurm, ...facts, onEvent: surroundings.onEvent });
    surroundings.signal.addEventListener('abort', () => this.#watch.stop(), { once: true });
  }

  async begin(): Promise<void> {
    const { session, ids, isForced, failFast } = this.#surroundings;
    const { selection } = this.#options;
    const [slurm, cluster] = [this.#slurm, this.#facts];
    const existing = await findExistingJobs(session.folder.jobs, { slurm, cluster, selection });
    this.#queue.expect(existing.latest);
    this.#endFiles = existing.endFiles;
    const run = { ...selection, ids, failFast, forced: ids.filter((id) => isForced(id)) };
    await recordSubmittedRun(session.folder, run, existing.latest.size > 0);
    for (const [id, { verdict, task }] of existing.latest)
      if (verdict.kind === 'wait' && task.isForced) this.#forced.add(id);
    for (const id of ids) {
      const instance = this.#instance(id);
      const found = await this.#freshness.check(instance);
      if (found.kind === 'hit' || found.kind === 'failed') {
        this.#settled.set(id, found.kind);
      } else if (!this.#isLocal(id)) {
        // What no job can have is said before anything is submitted.
        mutexOf(instance);
        if (found.kind === 'to-run') this.#queue.add(id, found.parts);
      }
    }
    const fresh = ids.filter((id) => !this.#settled.has(id) && !existing.latest.has(id));
    for (const { id, text } of findSubmissionWarnings(session.plan, fresh, this.#options.settings)) {
      this.#surroundings.onEvent({ kind: 'note', id, level: 'warning', text });
    }
    await this.#queue.begin();
  }

  async abandon(): Promise<void> {
    this.#enough.abort();
    this.#watch.stop();
    await this.#queue.settle();
  }

  has(id: string): boolean {
    return this.#settled.has(id) || !this.#isLocal(id);
  }

  async prepare(id: string): Promise<Preparing> {
    const settled = this.#settled.get(id);
    if (settled !== undefined) return settled;
    try {
      return (this.#isSubmitted(id) ? null : await this.#lookAgain(id)) ?? { pending: this.#finish(id) };
    } catch (error) {
      return await this.#fail(id, error);
    }
  }

  async end(results: ReadonlyMap<string, InstanceResult>): Promise<void> {
    const { signal, session, ids } = this.#surroundings;
    await this.abandon();
    // Otherwise another run goes on with them.
    this.#surroundings.assertLocked();
    const begun = [...results].filter(([, result]) => result !== 'interrupted').map(([id]) => id);
    await noteBegun(session.folder, begun);
    if (signal.aborted || this.#options.isDetached) return;
    const { jobs } = this.#queue;
    const isOver = await this.#unneeded.cancelUnfinished(jobs, results);
    if (isOver) await removeFinishedBatches(session, ids, jobs, this.#endFiles);
    if (this.#cancellation !== null) throw this.#cancellation;
  }

  #isSubmitted(id: string): boolean {
    return this.#following.has(id) || this.#queue.refusalOf(id) !== undefined;
  }

  /**
   * Queues an instance, all of whose dependencies are done.
   *
   * @returns null; or what became of it without a job
   */
  async #lookAgain(id: string): Promise<InstanceResult | null> {
    const found = await this.#freshness.checkAgain(this.#instance(id));
    if (found.kind !== 'to-run') return found.kind === 'hit' ? 'hit' : 'failed';
    // An earlier wave may have come to it meanwhile.
    if (!this.#isSubmitted(id)) this.#queue.add(id, found.parts);
    return null;
  }

  /** Waits for the job of an instance, all of whose dependencies are done; without one, the run was interrupted before its turn came. */
  async #finish(id: string): Promise<InstanceResult> {
    try {
      for (;;) {
        if (!this.#isSubmitted(id)) await this.#queue.submit();
        const refusal = this.#queue.refusalOf(id);
        if (refusal !== undefined) throw refusal;
        const result = (await this.#following.get(id)) ?? 'interrupted';
        if (result !== 'dropped') return result;
        // It was dropped when the first attempt of something before it failed, which has succeeded since.
        this.#following.delete(id);
        const settled = await this.#lookAgain(id);
        if (settled !== null) return settled;
      }
    } catch (error) {
      return await this.#fail(id, error);
    }
  }

  /** Says that it is submitted, and waits for nothing. */
  async #leave(id: string, { submitted, index }: PlacedJob): Promise<Followed> {
    const job = jobOf(submitted.batch, index) ?? '';
    const said = { state: 'PENDING', isRunning: false, reason: null, node: null, elapsedSeconds: null };
    this.#surroundings.onEvent({ kind: 'job', id, job, ...said });
    return 'interrupted';
  }

  async #conclude(id: string, { submitted, index }: PlacedJob): Promise<Followed> {
    try {
      const settled = await this.#watch.follow(submitted, index, id);
      if (settled === 'stopped') return 'interrupted';
      if (settled.verdict.kind === 'dropped') return 'dropped';
      return await this.#settle(this.#instance(id), settled);
    } catch (error) {
      return await this.#fail(id, error);
    }
  }

  /** For what went wrong here, rather than there. */
  async #fail(id: string, error: unknown): Promise<'failed' | 'interrupted'> {
    if (error instanceof ReproError && error.code === 'cancelled') {
      this.#cancellation = error;
      return 'interrupted';
    }
    const { session, onEvent, failFast } = this.#surroundings;
    const logFile = logFileOf(session.folder, id);
    onEvent({ kind: 'failed', id, seconds: 0, ...describeFailure(error), logFile, logTail: [] });
    if (failFast) await this.cancelWaiting();
    return 'failed';
  }

  async #settle(instance: StageInstance, settled: Settled): Promise<Followed> {
    const { id } = instance;
    const { verdict, submitted, index } = settled;
    if (this.#unneeded.has(id) && verdict.kind === 'failed' && verdict.code === 'cancelled')
      return 'interrupted';
    const concluded = await finishInstance(this.#surroundings, this.#options.settings, instance, settled);
    if (concluded.kind !== 'again') {
      if (concluded.kind === 'failed' && this.#surroundings.failFast) await this.cancelWaiting();
      return concluded.kind;
    }
    const parts = submitted.folder.readTask(index)?.parts;
    if (parts === undefined) return 'failed';
    switch (await this.#queue.submitAgain(id, parts, concluded)) {
      case 'submitted':
        // What is followed now is the new job.
        return (await this.#following.get(id)) ?? 'interrupted';
      case 'left-out':
        return 'dropped';
      case 'interrupted':
        return 'interrupted';
    }
  }

  async cancelWaiting(): Promise<void> {
    this.#enough.abort();
    await this.#queue.settle();
    await this.#unneeded.cancelWaiting(this.#queue.jobs);
  }

  #isLocal(id: string): boolean {
    return staysLocal(this.#instance(id), this.#options.settings);
  }

  #instance(id: string): StageInstance {
    const instance = this.#surroundings.session.plan.instances.get(id);
    if (instance === undefined) throw new Error(`no instance "${id}" in the plan`);
    return instance;
  }
}
