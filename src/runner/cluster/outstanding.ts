import { ReproError } from '../../errors.ts';
import type { CacheFolder } from '../store/cache-folder.ts';
import { listBatches } from './batch.ts';
import { hasEnded } from './task-end.ts';

/** A job that was submitted, and of which it is not known here that it has ended. */
export interface Outstanding {
  readonly id: string;
  /** null: the answer to its submission is not on disk. */
  readonly jobId: string | null;
}

/**
 * From the disk alone: Slurm may know more.
 *
 * @throws {ReproError} `jobs-unreadable`, `jobs-damaged`
 */
export function listOutstanding(folder: CacheFolder): Outstanding[] {
  return listBatches(folder.jobs).flatMap(({ batch, folder: files }) =>
    batch.tasks
      .filter(({ index }) => !hasEnded(files.readEnd(index)))
      .map(({ id }) => ({ id, jobId: batch.jobId })),
  );
}

/**
 * Refuses what would change the folder under jobs that read and write there.
 *
 * @throws {ReproError} `locked`; `jobs-unreadable`, `jobs-damaged`: they may be at work, too
 */
export function refuseOutstanding(folder: CacheFolder): void {
  const [first, ...more] = listOutstanding(folder);
  if (first === undefined) return;
  const rest = more.length === 0 ? '' : ` and ${more.length} more`;
  throw new ReproError(
    'locked',
    `jobs on a cluster work in this folder: ${first.jobId ?? 'one being submitted'} for "${first.id}"${rest}`,
    {
      where: folder.jobs,
      fix: 'Wait for them with `./repro attach`, which also takes note of those that have ended, or end them with `./repro cancel`.',
    },
  );
}
