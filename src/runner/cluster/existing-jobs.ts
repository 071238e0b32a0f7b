import { isDeepStrictEqual } from 'node:util';
import { ReproError } from '../../errors.ts';
import type { Slurm } from '../../executors/slurm/slurm.ts';
import { type BatchTask, listBatches, type PlanSelection, type SubmittedBatch } from './batch.ts';
import { recoverBatch } from './recovery.ts';
import { damaged } from './state-file.ts';
import { hasEnded, type TaskEnd } from './task-end.ts';

/** The latest job of an instance, from an earlier command. */
export interface ExistingJob {
  readonly submitted: SubmittedBatch;
  readonly index: number;
  readonly task: BatchTask;
  /** How it ended; null if it has not, or if Slurm ended it. */
  readonly end: Exclude<TaskEnd, { kind: 'interrupted' }> | null;
}

/**
 * Finds the jobs that earlier commands have submitted. The id of one whose submitter was killed before it was on disk is asked for; if
 * Slurm has no such job, there is none.
 *
 * @throws {ReproError} `locked` if they belong to another profile, or to other `--set`; `slurm-cluster` if to another cluster;
 *   `slurm-unreachable`
 */
export async function findExistingJobs(
  jobs: string,
  {
    slurm,
    cluster,
    selection,
  }: { readonly slurm: Slurm; readonly cluster: string; readonly selection: PlanSelection },
): Promise<ReadonlyMap<string, ExistingJob>> {
  const found = new Map<string, ExistingJob>();
  for (const submitted of listBatches(jobs)) {
    const known = await recoverBatch(slurm, submitted);
    if (known === null) continue;
    for (const existing of listTasks(known)) {
      if (existing.end === null) assertOurs(known, cluster, selection);
      found.set(existing.task.id, existing);
    }
  }
  return found;
}

function listTasks(submitted: SubmittedBatch): ExistingJob[] {
  return submitted.batch.tasks.map(({ index }) => {
    const task = submitted.folder.readTask(index);
    if (task === null)
      throw damaged(submitted.folder.taskFolder(index), submitted.folder.root, 'has lost a file');
    const end = submitted.folder.readEnd(index);
    return { submitted, index, task, end: hasEnded(end) ? end : null };
  });
}

function assertOurs({ batch, folder }: SubmittedBatch, cluster: string, selection: PlanSelection): void {
  if (batch.cluster !== cluster) {
    throw new ReproError(
      'slurm-cluster',
      `job ${batch.jobId} was submitted to cluster "${batch.cluster}", and this is "${cluster}"`,
      { where: folder.root, fix: `Go on from a machine of "${batch.cluster}".` },
    );
  }
  if (isDeepStrictEqual(batch.selection, selection)) return;
  const { profile, set } = batch.selection;
  const words = [`--profile ${profile ?? '(default)'}`, ...set.map((one) => `--set ${one}`)].join(' ');
  throw new ReproError('locked', `jobs of another run work in this folder: ${batch.jobId} of ${words}`, {
    where: folder.root,
    fix: 'Wait for them with `repro attach`, or end them with `repro cancel`.',
  });
}
