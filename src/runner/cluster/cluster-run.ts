import { type ClusterFacts, Slurm } from '../../executors/slurm/slurm.ts';
import { logFileOf } from '../cache/cache-folder.ts';
import type { Elsewhere, ElsewhereRun, RunSurroundings } from '../elsewhere.ts';
import { describeFailure } from '../execution/execution.ts';
import type { InstanceResult, Preparing } from '../execution/scheduler.ts';
import type { StageInstance } from '../plan.ts';
import { findBatches, jobOf, type PlacedJob, type PlanSelection } from './batch.ts';
import { forgetCancellation } from './cancellation.ts';
import { finishInstance } from './conclusion.ts';
import { findExistingJobs } from './existing-jobs.ts';
import { removeFinishedBatches } from './finished-batches.ts';
import { staysLocal } from './instance-request.ts';
import { JobQueue } from './job-queue.ts';
import { JobWatch, type Settled } from './job-watch.ts';
import { noteBegun, recordSubmittedRun, removeSubmittedRun } from './run-file.ts';
import type { ClusterSettings } from './settings.ts';
import { Submitter } from './submitter.ts';
import { Survey } from './survey.ts';

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

type Followed = InstanceResult | 'dropped';

/** Runs the instances of a run that do not stay here as jobs of Slurm. */
export function runOnSlurm(options: ClusterOptions): Elsewhere {
  return async (surroundings) => {
    await forgetCancellation(surroundings.session.folder.jobs);
    const slurm = new Slurm(surroundings.environment);
    const facts = await slurm.describe();
    const run = new ClusterRun(surroundings, options, slurm, facts);
    try {
      await run.begin();
    } catch (error) {
      run.abandon();
      const { folder } = surroundings.session;
      // What was submitted before stays, and is found by the next command.
      const { batches, problems } = findBatches(folder.jobs);
      if (batches.length === 0 && problems.length === 0) await removeSubmittedRun(folder);
      throw error;
    }
    return run;
  };
}

class ClusterRun implements ElsewhereRun {
  readonly #surroundings: RunSurroundings;
  readonly #options: ClusterOptions;
  readonly #slurm: Slurm;
  readonly #facts: ClusterFacts;
  readonly #survey: Survey;
  readonly #queue: JobQueue;
  readonly #watch: JobWatch;
  /** What needs no job. */
  readonly #settled = new Map<string, InstanceResult>();
  readonly #following = new Map<string, Promise<Followed>>();
  /** Where jobs would say how they ended that had ended before. */
  #endFiles: ReadonlySet<string> = new Set();
  /** Instances whose jobs this run has cancelled. */
  readonly #cancelled = new Set<string>();

  constructor(surroundings: RunSurroundings, options: ClusterOptions, slurm: Slurm, facts: ClusterFacts) {
    this.#surroundings = surroundings;
    this.#options = options;
    this.#slurm = slurm;
    this.#facts = facts;
    const { settings, isAttached, isDetached } = options;
    this.#survey = new Survey(surroundings);
    this.#queue = new JobQueue({
      ...{ surroundings, isAttached },
      submitter: new Submitter(surroundings, options, slurm, facts),
      onJob: (id, job) =>
        this.#following.set(id, isDetached ? this.#leave(id, job) : this.#conclude(id, job)),
    });
    this.#watch = new JobWatch({ ...settings, slurm, ...facts, onEvent: surroundings.onEvent });
    surroundings.signal.addEventListener('abort', () => this.#watch.stop(), { once: true });
  }

  async begin(): Promise<void> {
    const { session, ids, isForced, failFast } = this.#surroundings;
    const { selection } = this.#options;
    const search = { slurm: this.#slurm, cluster: this.#facts, selection };
    const existing = await findExistingJobs(session.folder.jobs, search);
    this.#queue.expect(existing.latest);
    this.#endFiles = existing.endFiles;
    const run = { ...selection, ids, failFast, forced: ids.filter((id) => isForced(id)) };
    await recordSubmittedRun(session.folder, run, existing.latest.size > 0);
    for (const id of ids) {
      const instance = this.#instance(id);
      const found = await this.#survey.look(instance);
      if (found.kind === 'hit' || found.kind === 'failed') this.#settled.set(id, found.kind);
      else if (found.kind === 'to-run' && !this.#isLocal(id)) this.#queue.add(id, found.parts);
    }
    await this.#queue.submit();
  }

  /** Follows nothing any more; jobs go on. */
  abandon(): void {
    this.#watch.stop();
  }

  has(id: string): boolean {
    return this.#settled.has(id) || !this.#isLocal(id);
  }

  async prepare(id: string): Promise<Preparing> {
    const settled = this.#settled.get(id);
    if (settled !== undefined) return settled;
    try {
      const settledNow = this.#following.has(id) ? null : await this.#submit(id);
      return settledNow ?? { pending: this.#finish(id) };
    } catch (error) {
      // It ends the run, and nothing may keep the process alive.
      this.abandon();
      throw error;
    }
  }

  async end(results: ReadonlyMap<string, InstanceResult>): Promise<void> {
    const { signal, session, ids } = this.#surroundings;
    const begun = [...results].filter(([, result]) => result !== 'interrupted').map(([id]) => id);
    await noteBegun(session.folder, begun);
    if (signal.aborted || this.#options.isDetached) return;
    this.#watch.stop();
    const { jobs } = this.#queue;
    const unneeded = [...jobs].filter(([id]) => !['done', 'hit'].includes(results.get(id) ?? ''));
    const names = unneeded.flatMap(([, { submitted, index }]) => jobOf(submitted.batch, index) ?? []);
    const answer = await this.#slurm.cancel(names);
    if (answer.kind === 'ok') return removeFinishedBatches(session, ids, jobs, this.#endFiles);
    // They may go on: the next command looks after them.
    this.#warn(unneeded[0]?.[0], `jobs that nothing needs any more could not be cancelled: ${answer.text}`);
  }

  /**
   * Submits an instance, all of whose dependencies are done.
   *
   * @returns null; or what became of it without a job
   */
  async #submit(id: string): Promise<InstanceResult | null> {
    const found = await this.#survey.lookAgain(this.#instance(id));
    if (found.kind !== 'to-run') return found.kind === 'hit' ? 'hit' : 'failed';
    // The one that was dropped, if it had one.
    this.#following.delete(id);
    this.#queue.add(id, found.parts);
    await this.#queue.submit();
    return null;
  }

  /** Waits for the job of an instance, all of whose dependencies are done; without one, the run was interrupted before its turn came. */
  async #finish(id: string): Promise<InstanceResult> {
    for (;;) {
      const result = (await this.#following.get(id)) ?? 'interrupted';
      if (result !== 'dropped') return result;
      try {
        // It was dropped when the first attempt of something before it failed, which has succeeded since.
        const settled = await this.#submit(id);
        if (settled !== null) return settled;
      } catch (error) {
        return this.#fail(id, error);
      }
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
    const settled = await this.#watch.follow(submitted, index, id);
    if (settled === 'stopped') return 'interrupted';
    if (settled.verdict.kind === 'dropped') return 'dropped';
    try {
      return await this.#settle(this.#instance(id), settled);
    } catch (error) {
      return this.#fail(id, error);
    }
  }

  /** For what went wrong here, rather than there. */
  #fail(id: string, error: unknown): 'failed' {
    const { session, onEvent } = this.#surroundings;
    const logFile = logFileOf(session.folder, id);
    onEvent({ kind: 'failed', id, seconds: 0, ...describeFailure(error), logFile, logTail: [] });
    return 'failed';
  }

  async #settle(instance: StageInstance, settled: Settled): Promise<Followed> {
    const { id } = instance;
    const { verdict, submitted, index } = settled;
    if (this.#cancelled.has(id) && verdict.kind === 'failed' && verdict.code === 'cancelled')
      return 'interrupted';
    const { settings } = this.#options;
    const concluded = await finishInstance(this.#surroundings, settings, instance, settled);
    if (concluded.kind !== 'again') {
      if (concluded.kind === 'failed' && this.#surroundings.failFast) await this.#cancelWaiting();
      return concluded.kind;
    }
    const parts = submitted.folder.readTask(index)?.parts;
    if (parts === undefined) return 'failed';
    if (!(await this.#queue.submitAgain(id, parts, concluded.attempt))) return 'interrupted';
    // What is followed now is the new job.
    return (await this.#following.get(id)) ?? 'interrupted';
  }

  /** After a failure nothing more starts. */
  async #cancelWaiting(): Promise<void> {
    const { jobs } = this.#queue;
    const names = [...jobs.values()].flatMap(({ submitted, index }) => jobOf(submitted.batch, index) ?? []);
    const answer = await this.#slurm.cancel(names, { onlyWaiting: true });
    for (const id of jobs.keys()) this.#cancelled.add(id);
    if (answer.kind === 'ok') return;
    const [first] = jobs.keys();
    this.#warn(first, `jobs that wait could not be cancelled, and may start: ${answer.text}`);
  }

  #warn(id: string | undefined, text: string): void {
    this.#surroundings.onEvent({ kind: 'note', id: id ?? '', level: 'warning', text });
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
