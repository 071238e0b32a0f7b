import { ReproError } from '../../errors.ts';
import type { PlacedJob } from '../jobs/batch.ts';
import type { Plan } from '../plan/plan.ts';
import type { SharedRun } from '../run/other-machines.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import { findAttachable, judgeEarlierJob, noteReplaced } from './attachment.ts';
import type { ExistingJob } from './existing-jobs.ts';
import type { Submitter, ToSubmit } from './submitter.ts';

export interface JobQueueOptions {
  readonly surroundings: SharedRun;
  readonly submitter: Submitter;
  /** Whether jobs that have failed meanwhile are told as failures, rather than submitted again. */
  readonly isAttached: boolean;
  /** How often a stage may go on in another job because the time of one is over. */
  readonly continuations: number;
  /** Called for each instance that has a job now. */
  readonly onJob: (id: string, job: PlacedJob) => void;
}

/** As of {@link ToSubmit}. */
type Resubmission = Pick<ToSubmit, 'attempt' | 'continued'>;

/** `left-out`: something that it waits for is over, and is to be concluded first. */
type Resubmitted = 'submitted' | 'left-out' | 'interrupted';

/** What a run has to submit, and what has a job: one that it has submitted, or one of an earlier command. */
export class JobQueue {
  readonly #options: JobQueueOptions;
  readonly #waiting = new Map<string, FingerprintParts>();
  readonly #jobs = new Map<string, PlacedJob>();
  /** How often what waits had gone on before the job that it takes the place of was over. */
  readonly #continued = new Map<string, number>();
  /** What was not taken, and why. */
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

  /** Says which jobs earlier commands have submitted. */
  expect(existing: ReadonlyMap<string, ExistingJob>): void {
    this.#existing = existing;
  }

  /** @param parts what is known of the fingerprint of an instance that has to run and has no job */
  add(id: string, parts: FingerprintParts): void {
    this.#refused.delete(id);
    this.#waiting.set(id, parts);
  }

  /** Why an instance that was added can have no job; undefined if it can. */
  refusalOf(id: string): unknown {
    return this.#refused.get(id);
  }

  /**
   * Submits what can be for a start. Where Slurm lets something wait, the rest of the run need not: it goes on beside it.
   *
   * @throws {ReproError} if anything is refused: what is wrong with a run should be seen at once. Of a run that was begun before, the rest
   *   goes on beside it. As {@link findAttachable}
   */
  async begin(): Promise<void> {
    const first = this.submit();
    // What is refused after a pause is in `refusalOf`, and what else goes wrong goes wrong again with the next call.
    first.catch(() => {});
    await Promise.race([first, this.#paused]);
    this.#hasBegun = true;
  }

  /** Says that something has to wait for Slurm. */
  pause(): void {
    this.#resolvePaused();
  }

  /** Submits everything that depends on nothing but what is done or submitted. */
  submit(): Promise<void> {
    return this.#inTurn(() => this.#submitWave());
  }

  /**
   * Submits an instance whose job has ended once more.
   *
   * @throws {unknown} if it is refused
   */
  async submitAgain(id: string, parts: FingerprintParts, how: Resubmission): Promise<Resubmitted> {
    const before = this.#jobs.get(id);
    try {
      // Not before its turn: an earlier wave would count it as a first attempt.
      await this.#inTurn(async () => {
        this.add(id, parts);
        await this.#submitThese([{ id, ...how }]);
      });
      const refusal = this.#refused.get(id);
      if (refusal !== undefined) throw refusal;
      if (this.#waiting.has(id)) return 'interrupted';
      return this.#jobs.get(id) === before ? 'left-out' : 'submitted';
    } finally {
      // No other wave may take it up.
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
    const { session, ids, produced } = this.#options.surroundings;
    const isReady = (id: string): boolean => produced.has(id) || this.#jobs.has(id);
    const list = (): string[] => listSubmittable(session.plan, ids, (id) => this.#waiting.has(id), isReady);
    const fresh = list().filter((id) => !this.#jobs.has(id));
    // At first all that differ are told together.
    for (const ids of this.#hasBegun ? fresh.map((id) => [id]) : [fresh]) await this.#attach(ids);
    // Without what is attached to now, and what cannot be submitted because of it.
    await this.#submitThese(
      list().map((id) => ({ id, attempt: 0, continued: this.#continued.get(id) ?? 0 })),
    );
  }

  async #attach(ids: readonly string[]): Promise<void> {
    const { surroundings, isAttached } = this.#options;
    const { onEvent } = surroundings;
    try {
      const attachable = await findAttachable(ids, this.#existing, this.#waiting, { isAttached, onEvent });
      for (const [id, job] of attachable) this.#take(id, job);
      if (!isAttached) for (const id of ids) await this.#judgeTime(id);
    } catch (error) {
      this.#refuse(ids, error);
    }
  }

  /** Of an instance whose earlier job was ended by its time: another one goes on with it, or it has failed. */
  async #judgeTime(id: string): Promise<void> {
    const { surroundings, continuations } = this.#options;
    const [job, parts] = [this.#existing.get(id), this.#waiting.get(id)];
    if (job === undefined || parts === undefined) return;
    const continued = await judgeEarlierJob(surroundings.session.plan, job, parts, continuations);
    if (continued?.kind === 'goes-on') this.#continued.set(id, continued.count);
    if (continued?.kind !== 'ends') return;
    this.#waiting.delete(id);
    this.#refused.set(id, continued.error);
  }

  async #submitThese(instances: readonly ({ readonly id: string } & Resubmission)[]): Promise<void> {
    const { surroundings, submitter, isAttached } = this.#options;
    const wanted: ToSubmit[] = instances.flatMap(({ id, ...how }) => {
      const [instance, parts] = [surroundings.session.plan.instances.get(id), this.#waiting.get(id)];
      return instance === undefined || parts === undefined ? [] : [{ instance, parts, ...how }];
    });
    if (wanted.length === 0) return;
    const before = instances.map(({ id }) => [id, this.#jobs.get(id) ?? this.#existing.get(id)] as const);
    const isDone = (id: string): boolean => surroundings.produced.has(id);
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

  /** Until everything that they depend on is done, when they are added again. */
  #leaveOut(ids: readonly string[]): void {
    const text = 'not submitted: a dependency ended without reporting success';
    for (const id of ids) {
      this.#waiting.delete(id);
      this.#options.surroundings.onEvent({ kind: 'note', id, level: 'warning', text });
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

/** Whether Slurm does not take a job as it is. */
function isRefusal(error: unknown): boolean {
  return error instanceof ReproError && error.code === 'slurm-refused';
}

/**
 * What can be submitted now: everything that waits and depends on nothing but what is ready, or can be submitted, too.
 *
 * @param ids of the run, in plan order; what it depends on besides is taken as it is
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
