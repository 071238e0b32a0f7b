import type { RunSurroundings } from '../elsewhere.ts';
import type { FingerprintParts } from '../fingerprint/fingerprint.ts';
import { findAttachable, listSubmittable } from './attachment.ts';
import type { PlacedJob, SubmittedBatch } from './batch.ts';
import type { ExistingJob } from './existing-jobs.ts';
import type { Submitter, ToSubmit } from './submitter.ts';

export interface JobQueueOptions {
  readonly surroundings: RunSurroundings;
  readonly submitter: Submitter;
  /** Whether jobs that have failed meanwhile are told as failures, rather than submitted again. */
  readonly isAttached: boolean;
  /** Called for each instance that has a job now. */
  readonly onJob: (id: string, job: PlacedJob) => void;
}

/** What a run has to submit, and what has a job: one that it has submitted, or one of an earlier command. */
export class JobQueue {
  readonly #options: JobQueueOptions;
  readonly #waiting = new Map<string, FingerprintParts>();
  readonly #jobs = new Map<string, PlacedJob>();
  #existing: ReadonlyMap<string, ExistingJob> = new Map();
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
    this.#waiting.set(id, parts);
  }

  /**
   * Submits everything that depends on nothing but what is done or submitted.
   *
   * @throws {ReproError} as {@link Submitter.submit} and {@link findAttachable}
   */
  submit(): Promise<void> {
    return this.#inTurn(() => this.#submitWave());
  }

  /**
   * Submits an instance whose job has ended once more.
   *
   * @returns whether it was: not if the run is interrupted before its turn comes
   */
  async submitAgain(id: string, parts: FingerprintParts, attempt: number): Promise<boolean> {
    this.#waiting.set(id, parts);
    await this.#inTurn(() => this.#submitThese([{ id, attempt }]));
    return !this.#waiting.has(id);
  }

  #inTurn(submit: () => Promise<void>): Promise<void> {
    const next = this.#last.then(submit);
    this.#last = next.catch(() => {});
    return next;
  }

  async #submitWave(): Promise<void> {
    const { surroundings, isAttached } = this.#options;
    const { session, ids, produced, onEvent } = surroundings;
    const isReady = (id: string): boolean => produced.has(id) || this.#jobs.has(id);
    const wave = listSubmittable(session.plan, ids, (id) => this.#waiting.has(id), isReady);
    const fresh = wave.filter((id) => !this.#jobs.has(id));
    const attachable = await findAttachable(fresh, this.#existing, this.#waiting, { isAttached, onEvent });
    for (const [id, job] of attachable) this.#take(id, job);
    await this.#submitThese(wave.filter((id) => this.#waiting.has(id)).map((id) => ({ id, attempt: 0 })));
  }

  async #submitThese(instances: readonly { readonly id: string; readonly attempt: number }[]): Promise<void> {
    const { surroundings, submitter } = this.#options;
    const wanted: ToSubmit[] = instances.flatMap(({ id, attempt }) => {
      const [instance, parts] = [surroundings.session.plan.instances.get(id), this.#waiting.get(id)];
      return instance === undefined || parts === undefined ? [] : [{ instance, parts, attempt }];
    });
    if (wanted.length === 0) return;
    const isDone = (id: string): boolean => surroundings.produced.has(id);
    const take = (submitted: SubmittedBatch): void => {
      for (const { id, index } of submitted.batch.tasks) this.#take(id, { submitted, index });
    };
    await submitter.submit(wanted, this.#jobs, isDone, take);
  }

  #take(id: string, job: PlacedJob): void {
    this.#waiting.delete(id);
    this.#jobs.set(id, job);
    this.#options.onJob(id, job);
  }
}
