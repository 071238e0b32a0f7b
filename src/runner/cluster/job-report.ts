import { ReproError } from '../../errors.ts';
import { isOnNode, type JobStatus, phaseOf } from '../../executors/slurm/job-state.ts';
import { Slurm } from '../../executors/slurm/slurm.ts';
import { type Batch, isOwn, jobOf, type PlanSelection, type SubmittedBatch } from '../jobs/batch.ts';
import { findBatches } from '../jobs/jobs-folder.ts';
import { hasEnded, type TaskEnd } from '../jobs/task-end.ts';
import type { Plan } from '../plan/plan.ts';
import type { RunEvent } from '../run/events.ts';
import type { CacheFolder } from '../store/cache-folder.ts';
import { openRecords } from '../store/records.ts';
import { UnwatchedVerdicts, type Verdict } from './verdict.ts';

/** The job of an instance, as far as is known without watching it. */
export interface JobReport {
  /** null: its id is not on disk yet. */
  readonly job: string | null;
  readonly cluster: string;
  /** Of the run that submitted it. */
  readonly selection: PlanSelection;
  /** null: Slurm did not answer, or no longer knows it. */
  readonly status: JobStatus | null;
  readonly isRunning: boolean;
  /** Whether it has ended; the next `repro attach` or `repro run --executor slurm` then records that. */
  readonly hasEnded: boolean;
  /** How it stands, by its own report or Slurm's. */
  readonly verdict: Verdict;
}

/** The jobs of a project, and the problems with unreadable ones. */
export interface JobReports {
  /** By instance. */
  readonly jobs: ReadonlyMap<string, JobReport>;
  readonly problems: readonly ReproError[];
}

interface Found {
  readonly id: string;
  readonly job: string | null;
  readonly batch: Batch;
  readonly end: TaskEnd | null;
  readonly endFile: string;
  /** The end files of its dependencies. */
  readonly after: readonly string[];
}

/** The jobs whose ends are not recorded yet, through one call of Slurm for all of them. */
export async function readJobReports(
  folder: CacheFolder,
  environment: NodeJS.ProcessEnv,
): Promise<JobReports> {
  const { batches, problems: unread } = findBatches(folder.jobs);
  const problems = [...unread];
  const found: Found[] = [];
  for (const one of batches) {
    try {
      found.push(...one.batch.tasks.map(({ id, index }) => look(one, id, index)));
    } catch (error) {
      if (!(error instanceof ReproError)) throw error;
      problems.push(error);
    }
  }
  const stateOf = await askStates(
    new Slurm(environment),
    found.flatMap(({ job, end }) => (job === null || hasEnded(end) ? [] : [job])),
  );
  const jobs = new Map<string, JobReport>();
  const verdicts = new UnwatchedVerdicts();
  for (const one of found) {
    const { id, job, batch, endFile, end, after } = one;
    const said = job === null || hasEnded(end) ? null : stateOf(job);
    // Slurm answers the same about hidden jobs of other users.
    const known = said === 'absent' && !isOwn(batch.owner) ? null : said;
    const verdict = verdicts.judge({ job: job ?? '', end, status: known, endFile, after });
    const status = known === 'absent' ? null : known;
    const isRunning = status !== null && isOnNode(status.state);
    const isOver = verdict.kind !== 'wait' || (status !== null && phaseOf(status.state) === 'ended');
    const { cluster, selection } = batch;
    jobs.set(id, { job, cluster, selection, status, isRunning, hasEnded: isOver, verdict });
  }
  return { jobs, problems };
}

function look({ batch, folder }: SubmittedBatch, id: string, index: number): Found {
  return {
    ...{ id, batch, job: jobOf(batch, index) },
    end: folder.readEnd(index),
    endFile: folder.endFile(index),
    after: folder.readTask(index)?.after.map(({ endFile }) => endFile) ?? [],
  };
}

type StateOf = (job: string) => JobStatus | 'absent' | null;

/** From the queue and, where the cluster has it, from accounting. */
async function askStates(slurm: Slurm, jobs: readonly string[]): Promise<StateOf> {
  // Without Slurm on this machine, the rest of the status is still worth showing.
  const answer = await slurm.readStates(jobs, true).catch(() => null);
  return answer === null || 'problem' in answer ? () => null : answer.stateOf;
}

interface UnwatchedEnd {
  readonly job: string;
  readonly fingerprint: string;
}

/**
 * For `attach`: shows an instance as having run if one of its jobs has made it up to date while no command watched.
 *
 * @param batches of the run, the earliest first
 * @returns a function that gives the event to show instead of another
 */
export function tellUnwatchedEnds(
  plan: Plan,
  batches: readonly SubmittedBatch[],
): (event: RunEvent) => RunEvent {
  const ends = new Map(batches.flatMap(listEnds));
  const records = openRecords(plan);
  return (event) => {
    if (event.kind !== 'cached' || event.restored.length > 0 || event.removed.length > 0) return event;
    const { id } = event;
    const [end, record] = [ends.get(id), records.findLast(id)];
    // Another run has made it since.
    if (end === undefined || record?.fingerprint !== end.fingerprint) return event;
    const { seconds, totalSeconds, metrics } = record;
    return { kind: 'finished', id, seconds, ...(totalSeconds && { totalSeconds }), metrics, job: end.job };
  };
}

function listEnds({ batch, folder }: SubmittedBatch): (readonly [id: string, UnwatchedEnd])[] {
  return batch.tasks.flatMap(({ id, index }) => {
    const [end, job] = [folder.readEnd(index), jobOf(batch, index)];
    return end?.kind === 'done' && job !== null ? [[id, { job, fingerprint: end.fingerprint }] as const] : [];
  });
}
