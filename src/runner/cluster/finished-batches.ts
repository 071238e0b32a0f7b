import type { CacheFolder } from '../cache/cache-folder.ts';
import { listBatches, type PlacedJob, type SubmittedBatch } from './batch.ts';
import { readSubmittedRun, removeSubmittedRun } from './run-file.ts';
import { hasEnded } from './task-end.ts';

/**
 * Removes the folders of jobs that a run has followed to their end, or has cancelled. Jobs of other stages, which an earlier command
 * submitted, go on, or have ended and are still to be taken note of.
 *
 * @param ids of the run
 * @param jobs of the run, the latest of each instance
 */
export async function removeFinishedBatches(
  folder: CacheFolder,
  ids: readonly string[],
  jobs: ReadonlyMap<string, PlacedJob>,
): Promise<void> {
  const own = new Set(ids);
  /** One that was followed to its end or cancelled, or that a later job has replaced. */
  const isSettled = (id: string, index: number, token: string): boolean => {
    const job = jobs.get(id);
    return job !== undefined && (job.submitted.batch.token !== token || job.index === index);
  };
  const isOver = ({ batch, folder: files }: SubmittedBatch): boolean =>
    batch.tasks.every(
      ({ id, index }) => own.has(id) && (isSettled(id, index, batch.token) || hasEnded(files.readEnd(index))),
    );
  const batches = listBatches(folder.jobs);
  const over = batches.filter(isOver);
  for (const one of over) await one.folder.remove();
  const isWhole = readSubmittedRun(folder)?.ids.every((id) => own.has(id)) ?? true;
  if (isWhole && over.length === batches.length) await removeSubmittedRun(folder);
}
