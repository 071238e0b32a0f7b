import { type ClusterFacts, Slurm } from '../../executors/slurm/slurm.ts';
import { logFileOf } from '../cache/cache-folder.ts';
import type { Elsewhere, ElsewhereRun, RunSurroundings } from '../elsewhere.ts';
import { describeFailure } from '../execution/execution.ts';
import type { InstanceResult, Preparing } from '../execution/scheduler.ts';
import type { FingerprintParts } from '../fingerprint/fingerprint.ts';
import type { StageInstance } from '../plan.ts';
import { findAttachable, listSubmittable } from './attachment.ts';
import { findBatches, jobOf, listBatches, type PlanSelection, type SubmittedBatch } from './batch.ts';
import { finishInstance } from './conclusion.ts';
import { type ExistingJob, findExistingJobs } from './existing-jobs.ts';
import { staysLocal } from './instance-request.ts';
import { JobWatch, type Settled } from './job-watch.ts';
import { readSubmittedRun, recordSubmittedRun, removeSubmittedRun } from './run-file.ts';
import type { ClusterSettings } from './settings.ts';
import { Submitter, type ToSubmit } from './submitter.ts';
import { Survey } from './survey.ts';
import { hasEnded } from './task-end.ts';

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
  readonly #submitter: Submitter;
  readonly #watch: JobWatch;
  #existing: ReadonlyMap<string, ExistingJob> = new Map();
  /** What needs no job. */
  readonly #settled = new Map<string, InstanceResult>();
  /** What has to run there and has no job yet. */
  readonly #waiting = new Map<string, FingerprintParts>();
  readonly #jobs = new Map<string, { readonly submitted: SubmittedBatch; readonly index: number }>();
  readonly #following = new Map<string, Promise<Followed>>();
  /** Instances whose jobs this run has cancelled. */
  readonly #cancelled = new Set<string>();
  /** One submission at a time. */
  #submission: Promise<unknown> = Promise.resolve();

  constructor(surroundings: RunSurroundings, options: ClusterOptions, slurm: Slurm, facts: ClusterFacts) {
    this.#surroundings = surroundings;
    this.#options = options;
    this.#slurm = slurm;
    this.#facts = facts;
    const { settings } = options;
    this.#survey = new Survey(surroundings);
    this.#submitter = new Submitter(surroundings, options, slurm, facts);
    this.#watch = new JobWatch({ ...settings, slurm, ...facts, onEvent: surroundings.onEvent });
    surroundings.signal.addEventListener('abort', () => this.#watch.stop(), { once: true });
  }

  async begin(): Promise<void> {
    const { session, ids, isForced, failFast } = this.#surroundings;
    const { selection } = this.#options;
    this.#existing = await findExistingJobs(session.folder.jobs, {
      slurm: this.#slurm,
      cluster: this.#facts,
      selection,
    });
    const run = { ...selection, ids, failFast, forced: ids.filter((id) => isForced(id)) };
    await recordSubmittedRun(session.folder, run, this.#existing.size > 0);
    for (const id of ids) {
      const instance = this.#instance(id);
      const found = await this.#survey.look(instance);
      if (found.kind === 'hit' || found.kind === 'failed') this.#settled.set(id, found.kind);
      else if (found.kind === 'to-run' && !this.#isLocal(id)) this.#waiting.set(id, found.parts);
    }
    await this.#submitWave();
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
    if (this.#following.has(id)) return { pending: this.#finish(id) };
    const found = await this.#survey.lookAgain(this.#instance(id));
    if (found.kind !== 'to-run') return found.kind === 'hit' ? 'hit' : 'failed';
    this.#waiting.set(id, found.parts);
    try {
      await this.#submitWave();
    } catch (error) {
      // It ends the run, and nothing may keep the process alive.
      this.abandon();
      throw error;
    }
    return { pending: this.#finish(id) };
  }

  async end(results: ReadonlyMap<string, InstanceResult>): Promise<void> {
    const { signal, session, ids } = this.#surroundings;
    if (signal.aborted || this.#options.isDetached) return;
    this.#watch.stop();
    const unneeded = [...this.#jobs].filter(([id]) => !['done', 'hit'].includes(results.get(id) ?? ''));
    const names = unneeded.flatMap(([, { submitted, index }]) => jobOf(submitted.batch, index) ?? []);
    const answer = await this.#slurm.cancel(names);
    // Not known to have ended: the next command looks after them.
    if (answer.kind === 'unknown') return;
    const own = new Set(ids);
    // Jobs of other stages, which an earlier command submitted, go on, or have ended and are still to be taken note of.
    const isOver = ({ batch, folder }: SubmittedBatch): boolean =>
      batch.tasks.every(
        ({ id, index }) =>
          own.has(id) && (this.#isSettled(id, index, batch.token) || hasEnded(folder.readEnd(index))),
      );
    const batches = listBatches(session.folder.jobs);
    const over = batches.filter(isOver);
    for (const { folder } of over) await folder.remove();
    const isWhole = readSubmittedRun(session.folder)?.ids.every((id) => own.has(id)) ?? true;
    if (isWhole && over.length === batches.length) await removeSubmittedRun(session.folder);
  }

  /** Whether a task of a batch is one that this run has followed to its end, or has cancelled; or that a later job has replaced. */
  #isSettled(id: string, index: number, token: string): boolean {
    const job = this.#jobs.get(id);
    return job !== undefined && (job.submitted.batch.token !== token || job.index === index);
  }

  /** Waits for the job of an instance, all of whose dependencies are done. */
  async #finish(id: string): Promise<InstanceResult> {
    for (;;) {
      const result = (await this.#following.get(id)) ?? 'interrupted';
      if (result !== 'dropped') return result;
      // It was dropped when the first attempt of something before it failed, which has succeeded since.
      const found = await this.#survey.lookAgain(this.#instance(id));
      if (found.kind !== 'to-run') return found.kind === 'hit' ? 'hit' : 'failed';
      this.#waiting.set(id, found.parts);
      try {
        await this.#submitWave();
      } catch (error) {
        return this.#fail(id, error);
      }
      // Interrupted before its turn came.
      if (this.#waiting.has(id)) return 'interrupted';
    }
  }

  /** Submits everything that depends on nothing but what is done or submitted. */
  #submitWave(): Promise<void> {
    const next = this.#submission.then(() => this.#submitNow());
    this.#submission = next.catch(() => {});
    return next;
  }

  async #submitNow(): Promise<void> {
    const { session, ids, produced, onEvent } = this.#surroundings;
    const isReady = (id: string): boolean => produced.has(id) || this.#jobs.has(id);
    const wave = listSubmittable(session.plan, ids, (id) => this.#waiting.has(id), isReady);
    const fresh = wave.filter((id) => !this.#jobs.has(id));
    const { isAttached } = this.#options;
    for (const [id, job] of await findAttachable(fresh, this.#existing, this.#waiting, {
      isAttached,
      onEvent,
    })) {
      this.#waiting.delete(id);
      this.#follow(id, job);
    }
    await this.#submit(wave.filter((id) => this.#waiting.has(id)).map((id) => ({ id, attempt: 0 })));
  }

  async #submit(instances: readonly { readonly id: string; readonly attempt: number }[]): Promise<void> {
    const wanted: ToSubmit[] = instances.flatMap(({ id, attempt }) => {
      const parts = this.#waiting.get(id);
      return parts === undefined ? [] : [{ instance: this.#instance(id), parts, attempt }];
    });
    if (wanted.length === 0) return;
    const isDone = (id: string): boolean => this.#surroundings.produced.has(id);
    await this.#submitter.submit(wanted, this.#jobs, isDone, (submitted) => {
      for (const { id, index } of submitted.batch.tasks) {
        this.#waiting.delete(id);
        this.#follow(id, { submitted, index });
      }
    });
  }

  #follow(id: string, job: { readonly submitted: SubmittedBatch; readonly index: number }): void {
    this.#jobs.set(id, job);
    const followed = this.#options.isDetached ? this.#leave(id, job) : this.#conclude(id, job);
    this.#following.set(id, followed);
  }

  /** Says that it is submitted, and waits for nothing. */
  async #leave(
    id: string,
    { submitted, index }: { readonly submitted: SubmittedBatch; readonly index: number },
  ): Promise<Followed> {
    const job = jobOf(submitted.batch, index) ?? '';
    const said = { state: 'PENDING', isRunning: false, reason: null, node: null, elapsedSeconds: null };
    this.#surroundings.onEvent({ kind: 'job', id, job, ...said });
    return 'interrupted';
  }

  async #conclude(
    id: string,
    { submitted, index }: { readonly submitted: SubmittedBatch; readonly index: number },
  ): Promise<Followed> {
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
    const { verdict } = settled;
    if (this.#cancelled.has(id) && verdict.kind === 'failed' && verdict.code === 'cancelled')
      return 'interrupted';
    const { settings } = this.#options;
    const concluded = await finishInstance(this.#surroundings, settings, instance, settled);
    if (concluded.kind !== 'again') {
      if (concluded.kind === 'failed' && this.#surroundings.failFast) await this.#cancelWaiting();
      return concluded.kind;
    }
    const parts = settled.submitted.folder.readTask(settled.index)?.parts;
    if (parts === undefined) return 'failed';
    this.#waiting.set(id, parts);
    const submission = this.#submission.then(() => this.#submit([{ id, attempt: concluded.attempt }]));
    this.#submission = submission.catch(() => {});
    await submission;
    // Interrupted before its turn came; otherwise what is followed now is the new job.
    if (this.#waiting.has(id)) return 'interrupted';
    return (await this.#following.get(id)) ?? 'interrupted';
  }

  /** After a failure nothing more starts. */
  async #cancelWaiting(): Promise<void> {
    const jobs = [...this.#jobs].flatMap(([id, { submitted, index }]) => {
      const job = jobOf(submitted.batch, index);
      return job === null ? [] : [{ id, job }];
    });
    await this.#slurm.cancel(
      jobs.map(({ job }) => job),
      { onlyWaiting: true },
    );
    for (const { id } of jobs) this.#cancelled.add(id);
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
