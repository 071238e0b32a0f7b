import type { Session } from '../freshness/session.ts';
import { type Batch, listBatches, type PlacedJob, type SubmittedBatch } from './batch.ts';
import { selectRest } from './rest-of-run.ts';
import { readSubmittedRun, removeSubmittedRun } from './run-file.ts';
import { hasEnded } from './task-end.ts';

/**
 * Removes the folders of jobs that a run has followed to their end, or has cancelled. Jobs of other stages, which an earlier command
 * submitted, go on, or have ended and are still to be taken note of.
 *
 * @param ids of the run
 * @param jobs of the run, the latest of each instance
 * @param endFiles of jobs that had ended before it, as {@link ExistingJobs.endFiles}
 */
export async function removeFinishedBatches(
  { folder, plan }: Pick<Session, 'folder' | 'plan'>,
  ids: readonly string[],
  jobs: ReadonlyMap<string, PlacedJob>,
  endFiles: ReadonlySet<string>,
): Promise<void> {
  const run = readSubmittedRun(folder);
  const own = new Set([...ids, ...(run?.cancelled ?? [])]);
  /** What is in the plan no longer is taken note of by nobody else. */
  const isTold = (id: string): boolean => own.has(id) || !plan.instances.has(id);
  /** One that was followed to its end or cancelled, or that a later job has replaced. */
  const isSettled = (id: string, { token, submittedAt }: Batch): boolean => {
    const latest = jobs.get(id)?.submitted.batch;
    // A later one is of a submission that was not answered: its job may be at work.
    return latest !== undefined && (latest.token === token || submittedAt < latest.submittedAt);
  };
  const isOver = ({ batch, folder: files }: SubmittedBatch): boolean =>
    batch.jobId !== null &&
    batch.tasks.every(
      ({ id, index }) =>
        isTold(id) &&
        (isSettled(id, batch) || endFiles.has(files.endFile(index)) || hasEnded(files.readEnd(index))),
    );
  const batches = listBatches(folder.jobs);
  const over = batches.filter(isOver);
  for (const one of over) await one.folder.remove();
  if (over.length < batches.length) return;
  const rest = run === null ? [] : [...selectRest(plan, run, []).selected];
  if (rest.every((id) => own.has(id))) await removeSubmittedRun(folder);
}
