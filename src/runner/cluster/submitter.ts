import path from 'node:path';
import { ReproError } from '../../errors.ts';
import type { RequestKey } from '../../executors/slurm/submission-errors.ts';
import { formatPlace } from '../../schema/problems.ts';
import { type Facts, variablesOf } from '../freshness/fingerprint.ts';
import { stageEnvironment } from '../freshness/stage-environment.ts';
import { BatchFolder, type BatchTask, type PlacedJob, type SubmittedBatch } from '../jobs/batch.ts';
import { hasEnded, readTaskEnd } from '../jobs/task-end.ts';
import type { StageInstance } from '../plan/plan.ts';
import type { SharedRun } from '../run/other-machines.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import { refreshFolder } from './file-visibility.ts';
import {
  type Candidate,
  type Dependency,
  type EarlierBatch,
  groupIntoBatches,
  type PlannedBatch,
} from './grouping.ts';
import { findPlaces, mutexOf, requestOf } from './instance-request.ts';
import { createToken, type Patience, type SubmissionContext, submitBatch } from './submission.ts';

/** An instance to submit, with what is known of its fingerprint. */
export interface ToSubmit {
  readonly instance: StageInstance;
  readonly parts: FingerprintParts;
  readonly attempt: number;
  /** As {@link BatchTask.continued}. */
  readonly continued: number;
}

type Jobs = ReadonlyMap<string, PlacedJob>;

/** What a submitter uses. */
export type SubmitterOptions = Pick<
  SubmissionContext,
  'settings' | 'selection' | 'runner' | 'slurm' | 'facts'
> & {
  /** Once aborted, nothing more is submitted. */
  readonly signal: AbortSignal;
  /** Called for instances that have to wait for Slurm; null: report an error instead. */
  readonly onPause: ((id: string, why: string) => void) | null;
};

/** Told what is submitted and what is not. */
export interface SubmissionListener {
  readonly onSubmitted: (submitted: SubmittedBatch) => void;
  /** A dependency ended without success: they may be submitted once it is concluded. */
  readonly onLeftOut: (ids: readonly string[]) => void;
  /** An error that this throws ends the submission of the others, too. */
  readonly onRefused: (ids: readonly string[], error: unknown) => void;
}

/** Submits the instances of one run, similar ones as arrays. */
export class Submitter {
  readonly #run: SharedRun;
  readonly #options: SubmitterOptions;
  readonly #context: Omit<SubmissionContext, 'patience'>;
  /** Submitted batches of stages with an `arrayLimit` that may not have ended. */
  #limited: PlannedBatch[] = [];

  constructor(run: SharedRun, options: SubmitterOptions) {
    const { session, environment, assertLocked } = run;
    const { plan, folder } = session;
    this.#run = run;
    this.#options = options;
    this.#context = {
      ...options,
      assertLocked,
      jobs: folder.jobs,
      projectRoot: plan.projectRoot,
      environmentOf: (ids) => {
        const instances = ids.flatMap((id) => plan.instances.get(id) ?? []);
        return jobEnvironment(instances, run.facts, options.settings.environment, environment);
      },
      jobIds: new Map(),
    };
  }

  /**
   * Submits instances, each after its dependencies. An instance whose dependency is not submitted is not submitted, either.
   *
   * @param jobs submitted before, by instance
   * @param isDone whether an instance has its outputs in place, so its job need not be waited for
   * @throws {ReproError} `several-mutexes`; what {@link SubmissionListener.onRefused} throws
   */
  async submit(
    wanted: readonly ToSubmit[],
    jobs: Jobs,
    isDone: (id: string) => boolean,
    listener: SubmissionListener,
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
    this.#limited = this.#limited.filter((one) => this.#isOpen(one, jobs, (id) => own.has(id) || isDone(id)));
    const all = groupIntoBatches(candidates, listEarlier(jobs, own), arraySize, createToken, this.#limited);
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
    const missing = new Map<string, PlannedBatch>();
    for (const one of all) {
      if (this.#options.signal.aborted) return;
      const planned = closeGaps(one, missing);
      missing.set(planned.token, planned);
      if (planned.dependencies.some(({ batch }) => missing.has(batch))) continue;
      const names = planned.tasks.map(({ id }) => id);
      try {
        const submitted = await this.#submitOne(planned, byId, after);
        if (submitted === null) return;
        if (submitted === 'left-out') {
          listener.onLeftOut(names);
        } else {
          missing.delete(planned.token);
          if (planned.request.arrayLimit !== null) this.#limited.push(planned);
          listener.onSubmitted(submitted);
        }
      } catch (error) {
        listener.onRefused(names, error);
      }
    }
  }

  /** Whether one of its jobs may still run. */
  #isOpen({ token, tasks }: PlannedBatch, jobs: Jobs, isOver: (id: string) => boolean): boolean {
    return tasks.some(({ id, index }) => {
      const submitted = jobs.get(id)?.submitted;
      return submitted?.batch.token === token && !isOver(id) && !hasEnded(submitted.folder.readEnd(index));
    });
  }

  /** The end file of each instance's job. */
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
    const { plan } = this.#run.session;
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
  ): Promise<SubmittedBatch | 'left-out' | null> {
    const tasks = planned.tasks.flatMap(({ id }) => byId.get(id) ?? []);
    const described = tasks.map(({ instance: { id }, parts, attempt, continued }) => ({
      ...{ id, parts, attempt, continued },
      isForced: this.#run.isForced(id),
      after: after.get(id) ?? [],
    }));
    const [first] = tasks;
    const placeOf = (keys: readonly RequestKey[]): string => {
      const places = first === undefined ? [] : findPlaces(first.instance, this.#context.settings, keys);
      const stage = `stage "${planned.stage}"`;
      if (places.length > 0) return `${places.join(', ')}  ${stage}`;
      return first === undefined ? stage : `${formatPlace(first.instance.at)}  ${stage}`;
    };
    const endsOf = (dependency: Dependency) => this.#listEndFiles(dependency, planned);
    const context = { ...this.#context, patience: this.#patienceFor(planned) };
    for (let { dependencies } = planned; ; ) {
      try {
        return await submitBatch(context, { ...planned, dependencies }, described, placeOf);
      } catch (error) {
        if (!(error instanceof ReproError) || error.code !== 'slurm-dependency-gone') throw error;
        // Slurm cannot wait for a job that it has forgotten. Dependencies that succeeded can be left out.
        const rest = dependencies.filter((one) => one.kind !== 'ended' && !endsOf(one).every(hasEndedWell));
        if (rest.length === dependencies.length) return 'left-out';
        dependencies = rest;
      }
    }
  }

  #patienceFor({ tasks }: PlannedBatch): Patience | null {
    const { signal, settings, onPause } = this.#options;
    if (onPause === null) return null;
    const { pollSeconds } = settings;
    return { signal, pollSeconds, onPause: (why) => onPause(tasks[0]?.id ?? '', why) };
  }

  /** The end files of the tasks of a dependency. */
  #listEndFiles(dependency: Dependency, { tasks }: PlannedBatch): string[] {
    const folder = new BatchFolder(path.join(this.#context.jobs, dependency.batch));
    switch (dependency.kind) {
      case 'task':
        return [folder.endFile(dependency.index)];
      case 'same-index':
        return tasks.map(({ index }) => folder.endFile(index));
      case 'whole':
      case 'ended':
        // A batch whose folder is gone did not succeed.
        return (folder.readBatch()?.tasks ?? [{ index: 0 }]).map(({ index }) => folder.endFile(index));
    }
  }
}

/** The batches submitted before. If an instance was submitted again, only its last job counts. */
function listEarlier(jobs: Jobs, own: ReadonlySet<string>): ReadonlyMap<string, EarlierBatch> {
  const earlier = new Map<string, EarlierBatch>();
  for (const { submitted } of jobs.values()) {
    const { token, tasks } = submitted.batch;
    const isCurrent = (id: string): boolean => !own.has(id) && jobs.get(id)?.submitted.batch.token === token;
    earlier.set(token, { size: tasks.length, tasks: tasks.filter(({ id }) => isCurrent(id)) });
  }
  return earlier;
}

/** Replaces a dependency (`ended`) on a batch that was not submitted by the dependencies of that batch. */
function closeGaps(planned: PlannedBatch, missing: ReadonlyMap<string, PlannedBatch>): PlannedBatch {
  const dependencies = planned.dependencies.flatMap((one) => {
    const before = one.kind === 'ended' ? missing.get(one.batch) : undefined;
    return before === undefined ? [one] : before.dependencies.filter(({ kind }) => kind === 'ended');
  });
  return { ...planned, dependencies };
}

function hasEndedWell(endFile: string): boolean {
  refreshFolder(path.dirname(endFile));
  const kind = readTaskEnd(endFile)?.kind;
  return kind === 'done' || kind === 'hit';
}

/** Variables of a login that programs on a node expect. */
const ofLogin: readonly string[] = ['USER', 'LOGNAME', 'SHELL'];

/** Variables that the node sets itself: the job's folder and GPUs. */
const ofNode: ReadonlySet<string> = new Set(['TMPDIR', 'CUDA_VISIBLE_DEVICES']);

/**
 * The environment of jobs: what their stages would see on this machine, and what the site adds.
 *
 * @param more names of more variables
 */
export function jobEnvironment(
  instances: readonly StageInstance[],
  facts: Facts,
  more: readonly string[],
  environment: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const declared = instances.flatMap((instance) => variablesOf(instance, facts));
  const all = stageEnvironment([...declared, ...more, ...ofLogin], environment);
  return Object.fromEntries(Object.entries(all).filter(([name]) => !ofNode.has(name) || more.includes(name)));
}
