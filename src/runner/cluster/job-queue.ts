import { ReproError } from '../../errors.ts';
import type { PlacedJob } from '../jobs/batch.ts';
import type { Plan } from '../plan/plan.ts';
import type { SharedRun } from '../run/other-machines.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import { findAttachable, judgeEarlierJob, noteReplaced } from './attachment.ts';
import type { ExistingJob } from './existing-jobs.ts';
import type { Submitter, ToSubmit } from './submitter.ts';

export interface JobQueueOptions {
  readonly run: SharedRun;
  readonly submitter: Submitter;
  /** Whether jobs that have failed meanwhile are reported as failures instead of submitted again. */
  readonly isAttached: boolean;
  /** How often a stage may continue in another job when a job's time is over. */
  readonly continuations: number;
  /** Called for each instance that gets a job. */
  readonly onJob: (id: string, job: PlacedJob) => void;
}

/** As of {@link ToSubmit}. */
type Resubmission = Pick<ToSubmit, 'attempt' | 'continued'>;

/** `left-out`: a dependency has ended and has to be concluded first. */
type Resubmitted = 'submitted' | 'left-out' | 'interrupted';

/** The instances that a run has yet to submit, and those that have a job, from this command or an earlier one. */
export class JobQueue {
  readonly #options: JobQueueOptions;
  readonly #waiting = new Map<string, FingerprintParts>();
  readonly #jobs = new Map<string, PlacedJob>();
  /** How often a waiting instance had continued before, in the job that a new one replaces. */
  readonly #continued = new Map<string, number>();
  /** Refused instances, and why. */
  readonly #refused = new Map<string, unknown>();
  #existing: ReadonlyMap<string, ExistingJob> = new Map();
  #hasBegun = false;
  #resolvePaused = (): void => {};
  readonly #paused = new Promise<void>((resolve) => {
    this.#resolvePaused = resolve;
  });
  /** One submission at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: JobQueueOptions) {
    this.#options = options;
  }

  /** The latest job of each instance. */
  get jobs(): ReadonlyMap<string, PlacedJob> {
    return this.#jobs;
  }

  /** Sets the jobs that earlier commands have submitted. */
  expect(existing: ReadonlyMap<string, ExistingJob>): void {
    this.#existing = existing;
  }

  /** Adds an instance that has to run and has no job. @param parts what is known of its fingerprint */
  add(id: string, parts: FingerprintParts): void {
    this.#refused.delete(id);
    this.#waiting.set(id, parts);
  }

  /** Why an added instance was refused; undefined if it was not. */
  refusalOf(id: string): unknown {
    return this.#refused.get(id);
  }

  /**
   * Submits what can be submitted now. If Slurm makes a submission wait, this returns and the rest of the run continues.
   *
   * @throws {ReproError} if anything is refused, so that a mistake shows at once; but in a run that is attached to, the others continue. As
   *   {@link findAttachable}
   */
  async begin(): Promise<void> {
    const first = this.submit();
    // Refusals after a pause are in `refusalOf`; other errors occur again in the next call.
    first.catch(() => {});
    await Promise.race([first, this.#paused]);
    this.#hasBegun = true;
  }

  /** To be called when a submission has to wait for Slurm. */
  pause(): void {
    this.#resolvePaused();
  }

  /** Submits every instance whose dependencies are all done or submitted. */
  submit(): Promise<void> {
    return this.#inTurn(() => this.#submitWave());
  }

  /**
   * Submits an instance again after its job has ended.
   *
   * @throws {unknown} if it is refused
   */
  async submitAgain(id: string, parts: FingerprintParts, how: Resubmission): Promise<Resubmitted> {
    const before = this.#jobs.get(id);
    try {
      // Only in its turn: an earlier wave would count it as a first attempt.
      await this.#inTurn(async () => {
        this.add(id, parts);
        await this.#submitThese([{ id, ...how }]);
      });
      const refusal = this.#refused.get(id);
      if (refusal !== undefined) throw refusal;
      if (this.#waiting.has(id)) return 'interrupted';
      return this.#jobs.get(id) === before ? 'left-out' : 'submitted';
    } finally {
      // No other wave may submit it.
      this.#waiting.delete(id);
    }
  }

  /** Resolved once nothing is being submitted. */
  async settle(): Promise<void> {
    await this.#last;
  }

  #inTurn(submit: () => Promise<void>): Promise<void> {
    const next = this.#last.then(submit);
    this.#last = next.catch(() => {});
    return next;
  }

  async #submitWave(): Promise<void> {
    const { session, ids, produced } = this.#options.run;
    const isReady = (id: string): boolean => produced.has(id) || this.#jobs.has(id);
    const list = (): string[] => listSubmittable(session.plan, ids, (id) => this.#waiting.has(id), isReady);
    const fresh = list().filter((id) => !this.#jobs.has(id));
    // At first, all jobs that differ are reported together.
    for (const ids of this.#hasBegun ? fresh.map((id) => [id]) : [fresh]) await this.#attach(ids);
    // Listed again, since attaching to jobs has changed what waits.
    await this.#submitThese(
      list().map((id) => ({ id, attempt: 0, continued: this.#continued.get(id) ?? 0 })),
    );
  }

  async #attach(ids: readonly string[]): Promise<void> {
    const { run, isAttached } = this.#options;
    const { onEvent } = run;
    try {
      const attachable = await findAttachable(ids, this.#existing, this.#waiting, { isAttached, onEvent });
      for (const [id, job] of attachable) this.#take(id, job);
      if (!isAttached) for (const id of ids) await this.#judgeTime(id);
    } catch (error) {
      this.#refuse(ids, error);
    }
  }

  /** If the earlier job of an instance ended with its time, the instance continues in another job, or has failed. */
  async #judgeTime(id: string): Promise<void> {
    const { run, continuations } = this.#options;
    const [job, parts] = [this.#existing.get(id), this.#waiting.get(id)];
    if (job === undefined || parts === undefined) return;
    const continued = await judgeEarlierJob(run.session.plan, job, parts, continuations);
    if (continued?.kind === 'continues') this.#continued.set(id, continued.count);
    if (continued?.kind !== 'ends') return;
    this.#waiting.delete(id);
    this.#refused.set(id, continued.error);
  }

  async #submitThese(instances: readonly ({ readonly id: string } & Resubmission)[]): Promise<void> {
    const { run, submitter, isAttached } = this.#options;
    const wanted: ToSubmit[] = instances.flatMap(({ id, ...how }) => {
      const [instance, parts] = [run.session.plan.instances.get(id), this.#waiting.get(id)];
      return instance === undefined || parts === undefined ? [] : [{ instance, parts, ...how }];
    });
    if (wanted.length === 0) return;
    const before = instances.map(({ id }) => [id, this.#jobs.get(id) ?? this.#existing.get(id)] as const);
    const isDone = (id: string): boolean => run.produced.has(id);
    try {
      await submitter.submit(wanted, this.#jobs, isDone, {
        onSubmitted: (submitted) => {
          for (const { id, index } of submitted.batch.tasks) this.#take(id, { submitted, index });
        },
        onLeftOut: (ids) => this.#leaveOut(ids),
        onRefused: (ids, error) => this.#refuse(ids, error, isAttached && isRefusal(error)),
      });
    } finally {
      for (const [id, job] of before) {
        if (job !== undefined && this.#isReplaced(id, job)) await noteReplaced(job);
      }
    }
  }

  #isReplaced(id: string, { submitted }: PlacedJob): boolean {
    const now = this.#jobs.get(id);
    return now !== undefined && now.submitted.batch.token !== submitted.batch.token;
  }

  /** Leaves instances out until all their dependencies are done; then they are added again. */
  #leaveOut(ids: readonly string[]): void {
    const text = 'not submitted: a dependency ended without reporting success';
    for (const id of ids) {
      this.#waiting.delete(id);
      this.#options.run.onEvent({ kind: 'note', id, level: 'warning', text });
    }
  }

  #refuse(ids: readonly string[], error: unknown, isBesideOthers = false): void {
    if (!this.#hasBegun && !isBesideOthers) throw error;
    for (const id of ids) {
      this.#waiting.delete(id);
      this.#refused.set(id, error);
    }
  }

  #take(id: string, job: PlacedJob): void {
    this.#waiting.delete(id);
    this.#jobs.set(id, job);
    this.#options.onJob(id, job);
  }
}

/** Whether Slurm refused a job as it is. */
function isRefusal(error: unknown): boolean {
  return error instanceof ReproError && error.code === 'slurm-refused';
}

/**
 * The waiting instances that can be submitted now: all their dependencies are ready, or can be submitted, too.
 *
 * @param ids of the run, in plan order; dependencies outside the run count as ready
 */
function listSubmittable(
  plan: Plan,
  ids: readonly string[],
  isWaiting: (id: string) => boolean,
  isReady: (id: string) => boolean,
): string[] {
  const selected = new Set(ids);
  const found = new Set<string>();
  for (const id of ids) {
    const before = (plan.dependencies.get(id) ?? []).filter((one) => selected.has(one));
    if (isWaiting(id) && before.every((one) => isReady(one) || found.has(one))) found.add(id);
  }
  return [...found];
}
