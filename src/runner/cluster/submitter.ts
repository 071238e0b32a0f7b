import path from 'node:path';
import { ReproError } from '../../errors.ts';
import type { ClusterFacts, Slurm } from '../../executors/slurm/slurm.ts';
import { formatPlace } from '../../schema/source-position.ts';
import type { RunSurroundings } from '../elsewhere.ts';
import type { FingerprintParts } from '../fingerprint/fingerprint.ts';
import type { StageInstance } from '../plan.ts';
import { BatchFolder, type BatchTask, type SubmittedBatch } from './batch.ts';
import type { ClusterOptions } from './cluster-run.ts';
import { type Candidate, groupIntoBatches, type PlannedBatch } from './grouping.ts';
import { requestOf } from './instance-request.ts';
import { jobEnvironment } from './job-environment.ts';
import { createToken, type SubmissionContext, submitBatch } from './submission.ts';

/** An instance to submit, and what is known of its fingerprint. */
export interface ToSubmit {
  readonly instance: StageInstance;
  readonly parts: FingerprintParts;
  readonly attempt: number;
}

type Jobs = ReadonlyMap<string, { readonly submitted: SubmittedBatch; readonly index: number }>;

/** Submits instances of one run, in arrays where they are alike. */
export class Submitter {
  readonly #surroundings: RunSurroundings;
  readonly #context: SubmissionContext;

  constructor(surroundings: RunSurroundings, options: ClusterOptions, slurm: Slurm, facts: ClusterFacts) {
    const { session, environment } = surroundings;
    const { plan, folder } = session;
    this.#surroundings = surroundings;
    this.#context = {
      ...options,
      slurm,
      facts,
      jobs: folder.jobs,
      projectRoot: plan.projectRoot,
      environmentOf: (ids) => {
        const instances = ids.flatMap((id) => plan.instances.get(id) ?? []);
        return jobEnvironment(instances, surroundings.facts, options.settings.environment, environment);
      },
      jobIds: new Map(),
    };
  }

  /**
   * @param jobs what has been submitted before, by instance
   * @param isDone whether an instance has its outputs in place, so that nobody waits for its job
   * @param onSubmitted called after each submission, since a later one may be refused
   * @throws {ReproError} `slurm-refused`, `slurm-unreachable`, `several-mutexes`
   */
  async submit(
    wanted: readonly ToSubmit[],
    jobs: Jobs,
    isDone: (id: string) => boolean,
    onSubmitted: (submitted: SubmittedBatch) => void,
  ): Promise<void> {
    const { jobIds, facts, settings } = this.#context;
    const known = new Map<string, SubmittedBatch['batch']['tasks']>();
    for (const { submitted } of jobs.values()) {
      const { token, jobId, tasks } = submitted.batch;
      known.set(token, tasks);
      if (jobId !== null) jobIds.set(token, jobId);
    }
    const own = new Set(wanted.map(({ instance }) => instance.id));
    const isAwaited = (id: string): boolean => own.has(id) || (jobs.has(id) && !isDone(id));
    const candidates = wanted.map(({ instance }) => this.#toCandidate(instance, isAwaited));
    const arraySize = settings.arraySize ?? facts.arraySize;
    const byId = new Map(wanted.map((one) => [one.instance.id, one]));
    // Of an instance that is submitted again, only the new job counts.
    const others = new Map(
      [...known].map(([token, tasks]) => [token, tasks.filter(({ id }) => !own.has(id))]),
    );
    const all = groupIntoBatches(candidates, others, arraySize, createToken);
    const ends = this.#listEnds(jobs, all);
    const after = new Map(
      candidates.map(({ id, after: before }) => [
        id,
        before.flatMap((one) => {
          const endFile = ends.get(one);
          return endFile === undefined ? [] : [{ id: one, endFile }];
        }),
      ]),
    );
    for (const planned of all) {
      if (this.#surroundings.signal.aborted) return;
      onSubmitted(await this.#submitOne(planned, byId, after));
    }
  }

  /** Where the job of each instance says how it ended. */
  #listEnds(jobs: Jobs, planned: readonly PlannedBatch[]): ReadonlyMap<string, string> {
    const before = [...jobs].map(
      ([id, { submitted, index }]) => [id, submitted.folder.endFile(index)] as const,
    );
    const now = planned.flatMap(({ token, tasks }) => {
      const folder = new BatchFolder(path.join(this.#context.jobs, token));
      return tasks.map(({ id, index }) => [id, folder.endFile(index)] as const);
    });
    return new Map([...before, ...now]);
  }

  #toCandidate(instance: StageInstance, isAwaited: (id: string) => boolean): Candidate {
    const { plan } = this.#surroundings.session;
    return {
      id: instance.id,
      stage: instance.stage,
      request: requestOf(instance, this.#context.settings),
      mutex: mutexOf(instance),
      after: (plan.dependencies.get(instance.id) ?? []).filter(isAwaited),
    };
  }

  async #submitOne(
    planned: PlannedBatch,
    byId: ReadonlyMap<string, ToSubmit>,
    after: ReadonlyMap<string, BatchTask['after']>,
  ): Promise<SubmittedBatch> {
    const tasks = planned.tasks.flatMap(({ id }) => byId.get(id) ?? []);
    const described = tasks.map(({ instance: { id }, parts, attempt }) => ({
      ...{ id, parts, attempt },
      isForced: this.#surroundings.isForced(id),
      after: after.get(id) ?? [],
    }));
    const [first] = tasks;
    const where =
      first === undefined ? planned.stage : `${formatPlace(first.instance.at)}  stage "${planned.stage}"`;
    try {
      return await submitBatch(this.#context, planned, described, where);
    } catch (error) {
      // What it waits for ended, and was forgotten, in the moment before: well, or else it would not be waited for. The job checks.
      if (!(error instanceof ReproError) || error.code !== 'slurm-dependency-gone') throw error;
      return submitBatch(this.#context, { ...planned, dependencies: [] }, described, where);
    }
  }
}

/** @throws {ReproError} `several-mutexes` */
export function mutexOf({ resources: { mutexes }, at, stage }: StageInstance): string | null {
  const [first = null, ...others] = mutexes;
  if (others.length === 0) return first;
  throw new ReproError(
    'several-mutexes',
    `stage "${stage}" has ${mutexes.length} mutexes; a job of Slurm can have one`,
    {
      where: formatPlace(at),
      fix: 'Let it run on this machine (executor: local), or use one name for all of them.',
    },
  );
}
