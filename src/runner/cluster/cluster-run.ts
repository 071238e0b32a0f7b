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
  /** Whether to submit and return, without waiting. */
  readonly isDetached: boolean;
  /** Whether jobs that have failed meanwhile are reported as failures instead of submitted again. */
  readonly isAttached: boolean;
}

/** Runs the instances that do not stay on this machine as jobs of Slurm. */
export function runOnSlurm(options: ClusterOptions): StartOtherMachines {
  return async (run) => {
    await forgetCancellation(run.session.folder.jobs);
    const slurm = new Slurm(run.environment);
    const facts = await slurm.describe();
    const cluster = new ClusterRun(run, options, slurm, facts);
    try {
      await cluster.begin();
    } catch (error) {
      await cluster.abandon();
      const { folder } = run.session;
      run.assertLocked();
      // Jobs submitted before stay, and the next command finds them.
      const { batches, problems } = findBatches(folder.jobs);
      if (batches.length === 0 && problems.length === 0) await removeSubmittedRun(folder);
      throw withSubmittedJobs(error, listOutstanding(folder).length);
    }
    return cluster;
  };
}

/** Adds to an error that some jobs of the run were submitted all the same. */
function withSubmittedJobs(error: unknown, count: number): unknown {
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

/** The jobs of one run on one cluster. */
class ClusterRun implements OtherMachines {
  readonly #run: SharedRun;
  readonly #options: ClusterOptions;
  readonly #slurm: Slurm;
  readonly #facts: ClusterFacts;
  readonly #freshness: ClusterFreshness;
  readonly #queue: JobQueue;
  readonly #watch: JobWatch;
  /** Instances with a forced job from an earlier command that is still under way. */
  readonly #forced = new Set<string>();
  /** Results of instances that need no job. */
  readonly #settled = new Map<string, InstanceResult>();
  readonly #following = new Map<string, Promise<Followed>>();
  /** The end files of jobs that had ended before this run. */
  #endFiles: ReadonlySet<string> = new Set();
  readonly #unneeded: UnneededJobs;
  /** Set if another command has cancelled this run. */
  #cancellation: ReproError | null = null;
  /** Aborted when nothing more may be submitted. */
  readonly #enough = new AbortController();

  constructor(asked: SharedRun, options: ClusterOptions, slurm: Slurm, facts: ClusterFacts) {
    // A forced job of an earlier command stays forced.
    const isForced = (id: string): boolean => asked.isForced(id) || this.#forced.has(id);
    const run = { ...asked, isForced };
    this.#run = run;
    this.#options = options;
    this.#slurm = slurm;
    this.#facts = facts;
    const { settings, isAttached, isDetached } = options;
    this.#freshness = new ClusterFreshness(run);
    this.#unneeded = new UnneededJobs(run, slurm);
    const signal = AbortSignal.any([run.signal, this.#enough.signal]);
    const onPause = (id: string, why: string): void => {
      run.onEvent({ kind: 'note', id, level: 'warning', text: why });
      this.#queue.pause();
    };
    this.#queue = new JobQueue({
      ...{ run, isAttached, continuations: settings.continuations },
      submitter: new Submitter(run, {
        ...{ ...options, slurm, facts, signal },
        onPause: isDetached ? null : onPause,
      }),
      onJob: (id, job) =>
        this.#following.set(id, isDetached ? this.#leave(id, job) : this.#conclude(id, job)),
    });
    this.#watch = new JobWatch({ ...settings, slurm, ...facts, onEvent: run.onEvent });
    run.signal.addEventListener('abort', () => this.#watch.stop(), { once: true });
  }

  async begin(): Promise<void> {
    const { session, ids, isForced, failFast } = this.#run;
    const { selection } = this.#options;
    const [slurm, cluster] = [this.#slurm, this.#facts];
    const existing = await findExistingJobs(session.folder.jobs, { slurm, cluster, selection });
    this.#queue.expect(existing.latest);
    this.#endFiles = existing.endFiles;
    const forced = ids.filter((id) => isForced(id));
    const asked = { ...selection, ids, failFast, forced };
    await recordSubmittedRun(session.folder, asked, existing.latest.size > 0);
    for (const [id, { verdict, task }] of existing.latest)
      if (verdict.kind === 'wait' && task.isForced) this.#forced.add(id);
    for (const id of ids) {
      const instance = this.#instance(id);
      const found = await this.#freshness.check(instance);
      if (found.kind === 'hit' || found.kind === 'failed') {
        this.#settled.set(id, found.kind);
      } else if (!this.#isLocal(id)) {
        // Refused before anything is submitted.
        mutexOf(instance);
        if (found.kind === 'to-run') this.#queue.add(id, found.parts);
      }
    }
    const fresh = ids.filter((id) => !this.#settled.has(id) && !existing.latest.has(id));
    for (const { id, text } of findSubmissionWarnings(session.plan, fresh, this.#options.settings)) {
      this.#run.onEvent({ kind: 'note', id, level: 'warning', text });
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
    const { signal, session, ids } = this.#run;
    await this.abandon();
    // Otherwise another run has taken over the jobs.
    this.#run.assertLocked();
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
   * Queues an instance whose dependencies are done.
   *
   * @returns its result if it needs no job; otherwise null
   */
  async #lookAgain(id: string): Promise<InstanceResult | null> {
    const found = await this.#freshness.checkAgain(this.#instance(id));
    if (found.kind !== 'to-run') return found.kind === 'hit' ? 'hit' : 'failed';
    // An earlier wave may have submitted it meanwhile.
    if (!this.#isSubmitted(id)) this.#queue.add(id, found.parts);
    return null;
  }

  /** Waits for the job of an instance whose dependencies are done. If it has none, the run was interrupted before its turn. */
  async #finish(id: string): Promise<InstanceResult> {
    try {
      for (;;) {
        if (!this.#isSubmitted(id)) await this.#queue.submit();
        const refusal = this.#queue.refusalOf(id);
        if (refusal !== undefined) throw refusal;
        const result = (await this.#following.get(id)) ?? 'interrupted';
        if (result !== 'dropped') return result;
        // It was dropped when a dependency failed, which has succeeded in another attempt since.
        this.#following.delete(id);
        const settled = await this.#lookAgain(id);
        if (settled !== null) return settled;
      }
    } catch (error) {
      return await this.#fail(id, error);
    }
  }

  /** Reports that it is submitted, without waiting. */
  async #leave(id: string, { submitted, index }: PlacedJob): Promise<Followed> {
    const job = jobOf(submitted.batch, index) ?? '';
    const said = { state: 'PENDING', isRunning: false, reason: null, node: null, elapsedSeconds: null };
    this.#run.onEvent({ kind: 'job', id, job, ...said });
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

  /** Reports an error of this machine, not of a job. */
  async #fail(id: string, error: unknown): Promise<'failed' | 'interrupted'> {
    if (error instanceof ReproError && error.code === 'cancelled') {
      this.#cancellation = error;
      return 'interrupted';
    }
    const { session, onEvent, failFast } = this.#run;
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
    const concluded = await finishInstance(this.#run, this.#options.settings, instance, settled);
    if (concluded.kind !== 'again') {
      if (concluded.kind === 'failed' && this.#run.failFast) await this.cancelWaiting();
      return concluded.kind;
    }
    const parts = submitted.folder.readTask(index)?.parts;
    if (parts === undefined) return 'failed';
    switch (await this.#queue.submitAgain(id, parts, concluded)) {
      case 'submitted':
        // Now the new job is followed.
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
    const instance = this.#run.session.plan.instances.get(id);
    if (instance === undefined) throw new Error(`no instance "${id}" in the plan`);
    return instance;
  }
}
