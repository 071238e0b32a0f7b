import type { ReproError } from '../../errors.ts';
import { isOnNode, type JobStatus } from '../../executors/slurm/job-state.ts';
import { Slurm } from '../../executors/slurm/slurm.ts';
import type { CacheFolder } from '../cache/cache-folder.ts';
import { findBatches, jobOf } from './batch.ts';
import { hasEnded } from './task-end.ts';

/** The job of an instance, as far as is known without waiting for it. */
export interface JobReport {
  /** null: the answer to its submission is not on disk. */
  readonly job: string | null;
  readonly cluster: string;
  /** null: Slurm did not answer, or does not know it any more. */
  readonly status: JobStatus | null;
  readonly isRunning: boolean;
  /** Whether it has ended, and the next `repro attach` or `repro run --executor slurm` takes note of that. */
  readonly hasEnded: boolean;
}

/** The jobs of a project, and what is wrong with the folders of those that cannot be told. */
export interface JobReports {
  /** By instance. */
  readonly jobs: ReadonlyMap<string, JobReport>;
  readonly problems: readonly ReproError[];
}

/** The jobs that were submitted and not yet taken note of; one question to Slurm for all of them. */
export async function readJobReports(
  folder: CacheFolder,
  environment: NodeJS.ProcessEnv,
): Promise<JobReports> {
  const { batches, problems } = findBatches(folder.jobs);
  if (batches.length === 0) return { jobs: new Map(), problems };
  const ids = batches.flatMap(({ batch }) => batch.jobId ?? []);
  // On another machine than the cluster's there may be no Slurm, and the rest of the status is still worth telling.
  const answer = await new Slurm(environment).readQueue(ids).catch(() => ({ table: null }));
  const jobs = new Map(
    batches.flatMap(({ batch, folder: files }) =>
      batch.tasks.map(({ id, index }): [string, JobReport] => {
        const job = jobOf(batch, index);
        const status = (job === null ? undefined : answer.table?.get(job)) ?? null;
        const isRunning = status !== null && isOnNode(status.state);
        const { cluster } = batch;
        return [id, { job, cluster, status, isRunning, hasEnded: hasEnded(files.readEnd(index)) }];
      }),
    ),
  );
  return { jobs, problems };
}
