import { readdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { ReproError } from '../../errors.ts';
import type { JobStatus } from '../../executors/slurm/job-state.ts';
import { type ClusterFacts, type Slurm, unreachable } from '../../executors/slurm/slurm.ts';
import {
  type BatchTask,
  describeSelection,
  hidden,
  isOwn,
  jobOf,
  type PlanSelection,
  type SubmittedBatch,
} from '../jobs/batch.ts';
import { listBatches } from '../jobs/jobs-folder.ts';
import { damaged, unreadable } from '../jobs/state-file.ts';
import { hasEnded } from '../jobs/task-end.ts';
import { recoverBatch } from './submission.ts';
import { type UnwatchedJob, UnwatchedVerdicts, type Verdict } from './verdict.ts';

/** The latest job of an instance, from an earlier command. */
export interface ExistingJob {
  readonly submitted: SubmittedBatch;
  readonly index: number;
  readonly task: BatchTask;
  /** How it stands now, by its own report or Slurm's. */
  readonly verdict: Verdict;
}

/** The jobs that earlier commands have submitted. */
export interface ExistingJobs {
  /** The latest of each instance. */
  readonly latest: ReadonlyMap<string, ExistingJob>;
  /** The end files of all jobs that have ended, by their own report or Slurm's, including replaced ones. */
  readonly endFiles: ReadonlySet<string>;
}

/** What is needed to find the jobs of a run. */
export interface JobSearch {
  readonly slurm: Slurm;
  readonly cluster: Pick<ClusterFacts, 'name' | 'hasAccounting'>;
  readonly selection: PlanSelection;
}

type OpenJob = Omit<ExistingJob, 'verdict'>;

/**
 * Finds the jobs that earlier commands have submitted, and how they stand. If a runner was killed before it recorded the id of a job, Slurm is
 * asked for it; without an answer there, the job does not exist.
 *
 * @throws {ReproError} `locked` if jobs under way belong to another profile or other `--set`; `slurm-cluster` if to another cluster;
 *   `jobs-unreadable`, `jobs-damaged`, `slurm-unreachable`
 */
export async function findExistingJobs(
  jobs: string,
  { slurm, cluster, selection }: JobSearch,
): Promise<ExistingJobs> {
  const all: OpenJob[] = [];
  for (const submitted of listBatches(jobs)) {
    const known = await recoverBatch(slurm, submitted);
    if (known !== null) all.push(...listTasks(known));
  }
  const open = all.filter(({ submitted, index }) => !hasEnded(submitted.folder.readEnd(index)));
  for (const { submitted } of open) assertCluster(submitted, cluster.name);
  const states = await slurm.readStates(open.map(nameOf), cluster.hasAccounting);
  if ('problem' in states) throw unreachable(states.problem);
  const found = new Map<string, ExistingJob>();
  const verdicts = new UnwatchedVerdicts();
  for (const one of all) {
    const verdict = verdicts.judge(look(one, states.stateOf(nameOf(one))));
    if (verdict.kind === 'wait') assertSelection(one.submitted, selection);
    found.set(one.task.id, { ...one, verdict });
  }
  return { latest: found, endFiles: verdicts.listEnded() };
}

/** @throws {ReproError} `jobs-unreadable`; `locked` if Slurm does not show it because it is another user's */
function look(one: OpenJob, status: JobStatus | 'absent' | null): UnwatchedJob {
  const { submitted, index, task } = one;
  const { folder, batch } = submitted;
  listFolder(folder.taskFolder(index));
  const end = folder.readEnd(index);
  if (status === 'absent' && !hasEnded(end) && !isOwn(batch.owner)) {
    throw hidden(nameOf(one), batch.owner, folder.root);
  }
  const after = task.after.map(({ endFile }) => endFile);
  return { job: nameOf(one), end, status, endFile: folder.endFile(index), after };
}

/** Lists a folder that must exist, so that NFS asks the server for new files in it. */
function listFolder(folder: string): void {
  try {
    readdirSync(folder);
  } catch (error) {
    throw unreadable(folder, error);
  }
}

function nameOf({ submitted, index }: OpenJob): string {
  return jobOf(submitted.batch, index) ?? '';
}

function listTasks(submitted: SubmittedBatch): OpenJob[] {
  return submitted.batch.tasks.map(({ index }) => {
    const task = submitted.folder.readTask(index);
    if (task !== null) return { submitted, index, task };
    throw damaged(submitted.folder.taskFolder(index), submitted.folder.root, 'lacks a file', {
      isFound: true,
    });
  });
}

/** @throws {ReproError} `slurm-cluster` if it was submitted to another one */
export function assertCluster({ batch, folder }: SubmittedBatch, cluster: string): void {
  if (batch.cluster === cluster) return;
  throw new ReproError(
    'slurm-cluster',
    `job ${batch.jobId} was submitted to cluster "${batch.cluster}", and this is "${cluster}"`,
    { where: folder.root, fix: `Continue on a machine of "${batch.cluster}".` },
  );
}

function assertSelection({ batch, folder }: SubmittedBatch, selection: PlanSelection): void {
  if (isDeepStrictEqual(batch.selection, selection)) return;
  const words = describeSelection(batch.selection);
  throw new ReproError('locked', `jobs of another run work in this folder: ${batch.jobId} of ${words}`, {
    where: folder.root,
    fix: 'Wait for them with `./repro attach`, or end them with `./repro cancel`.',
  });
}
