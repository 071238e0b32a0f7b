import path from 'node:path';
import { ReproError } from '../../errors.ts';
import type { ClusterFacts, Slurm } from '../../executors/slurm/slurm.ts';
import { formatPlace } from '../../schema/source-position.ts';
import type { RunSurroundings } from '../elsewhere.ts';
import type { FingerprintParts } from '../fingerprint/fingerprint.ts';
import type { StageInstance } from '../plan.ts';
import { BatchFolder, type BatchTask, type PlacedJob, type SubmittedBatch } from './batch.ts';
import type { ClusterOptions } from './cluster-run.ts';
import {
  type Candidate,
  type Dependency,
  type EarlierBatch,
  groupIntoBatches,
  type PlannedBatch,
} from './grouping.ts';
import { mutexOf, requestOf } from './instance-request.ts';
import { jobEnvironment } from './job-environment.ts';
import { createToken, type SubmissionContext, submitBatch } from './submission.ts';
import { readTaskEnd } from './task-end.ts';

/** An instance to submit, and what is known of its fingerprint. */
export interface ToSubmit {
  readonly instance: StageInstance;
  readonly parts: FingerprintParts;
  readonly attempt: number;
}

type Jobs = ReadonlyMap<string, PlacedJob>;

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
   * Submits instances, each after those that it waits for. What waits for a job that is over and has not ended well is left out: it is
   * submitted once that one is concluded, or never.
   *
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
    for (const { submitted } of jobs.values()) {
      const { token, jobId } = submitted.batch;
      if (jobId !== null) jobIds.set(token, jobId);
    }
    const own = new Set(wanted.map(({ instance }) => instance.id));
    const isAwaited = (id: string): boolean => own.has(id) || (jobs.has(id) && !isDone(id));
    const candidates = wanted.map(({ instance }) => this.#toCandidate(instance, isAwaited));
    const arraySize = settings.arraySize ?? facts.arraySize;
    const byId = new Map(wanted.map((one) => [one.instance.id, one]));
    const all = groupIntoBatches(candidates, listEarlier(jobs, own), arraySize, createToken);
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
    const leftOut = new Set<string>();
    for (const planned of all) {
      if (this.#surroundings.signal.aborted) return;
      const isBlocked = planned.dependencies.some(
        ({ kind, batch }) => kind !== 'ended' && leftOut.has(batch),
      );
      const submitted = isBlocked ? null : await this.#submitOne(withoutRows(planned, leftOut), byId, after);
      if (submitted === null) leftOut.add(planned.token);
      else onSubmitted(submitted);
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
  ): Promise<SubmittedBatch | null> {
    const tasks = planned.tasks.flatMap(({ id }) => byId.get(id) ?? []);
    const described = tasks.map(({ instance: { id }, parts, attempt }) => ({
      ...{ id, parts, attempt },
      isForced: this.#surroundings.isForced(id),
      after: after.get(id) ?? [],
    }));
    const [first] = tasks;
    const where =
      first === undefined ? planned.stage : `${formatPlace(first.instance.at)}  stage "${planned.stage}"`;
    const endsOf = (dependency: Dependency) => this.#listEndFiles(dependency, planned);
    for (let { dependencies } = planned; ; ) {
      try {
        return await submitBatch(this.#context, { ...planned, dependencies }, described, where);
      } catch (error) {
        if (!(error instanceof ReproError) || error.code !== 'slurm-dependency-gone') throw error;
        // Of which Slurm knows nothing any more, so that it cannot wait for it: only what ended well need not be waited for.
        const rest = dependencies.filter((one) => one.kind !== 'ended' && !endsOf(one).every(hasEndedWell));
        if (rest.length === dependencies.length) return this.#leaveOut(planned);
        dependencies = rest;
      }
    }
  }

  /** Where the tasks that a dependency is about say how they ended. */
  #listEndFiles(dependency: Dependency, { tasks }: PlannedBatch): string[] {
    const folder = new BatchFolder(path.join(this.#context.jobs, dependency.batch));
    switch (dependency.kind) {
      case 'task':
        return [folder.endFile(dependency.index)];
      case 'same-index':
        return tasks.map(({ index }) => folder.endFile(index));
      case 'whole':
      case 'ended':
        // One that is gone has not ended well.
        return (folder.readBatch()?.tasks ?? [{ index: 0 }]).map(({ index }) => folder.endFile(index));
    }
  }

  #leaveOut({ tasks }: PlannedBatch): null {
    const text = 'not submitted: a job that it waits for is over, and has not said that it ended well';
    for (const { id } of tasks) this.#surroundings.onEvent({ kind: 'note', id, level: 'warning', text });
    return null;
  }
}

/** The batches of what was submitted before. Of an instance that was submitted again, only its last job counts. */
function listEarlier(jobs: Jobs, own: ReadonlySet<string>): ReadonlyMap<string, EarlierBatch> {
  const earlier = new Map<string, EarlierBatch>();
  for (const { submitted } of jobs.values()) {
    const { token, tasks } = submitted.batch;
    const isCurrent = (id: string): boolean => !own.has(id) && jobs.get(id)?.submitted.batch.token === token;
    earlier.set(token, { size: tasks.length, tasks: tasks.filter(({ id }) => isCurrent(id)) });
  }
  return earlier;
}

/** Without the place in a row behind a batch that was not submitted. */
function withoutRows(planned: PlannedBatch, leftOut: ReadonlySet<string>): PlannedBatch {
  return { ...planned, dependencies: planned.dependencies.filter(({ batch }) => !leftOut.has(batch)) };
}

function hasEndedWell(endFile: string): boolean {
  const kind = readTaskEnd(endFile)?.kind;
  return kind === 'done' || kind === 'hit';
}
