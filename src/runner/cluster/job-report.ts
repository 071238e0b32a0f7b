import type { ReproError } from '../../errors.ts';
import { isOnNode, type JobStatus, phaseOf } from '../../executors/slurm/job-state.ts';
import { Slurm } from '../../executors/slurm/slurm.ts';
import type { CacheFolder } from '../cache/cache-folder.ts';
import { findBatches, jobOf } from './batch.ts';
import { isOwn } from './owner.ts';
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
  const found = batches.flatMap(({ batch, folder: files }) =>
    batch.tasks.map(({ id, index }) => {
      const job = jobOf(batch, index);
      return {
        id,
        job,
        cluster: batch.cluster,
        isOwn: isOwn(batch.owner),
        isOver: hasEnded(files.readEnd(index)),
      };
    }),
  );
  const stateOf = await askStates(
    new Slurm(environment),
    found.flatMap(({ job, isOver }) => (job === null || isOver ? [] : [job])),
  );
  const jobs = new Map(
    found.map(({ id, job, cluster, isOwn: own, isOver }): [string, JobReport] => {
      const said = job === null || isOver ? null : stateOf(job);
      // Of a job that it does not show, Slurm says the same.
      const isForgotten = said === 'absent' && own;
      const status = said === 'absent' ? null : said;
      const isRunning = status !== null && isOnNode(status.state);
      const isEnded = isOver || isForgotten || (status !== null && phaseOf(status.state) === 'ended');
      return [id, { job, cluster, status, isRunning, hasEnded: isEnded }];
    }),
  );
  return { jobs, problems };
}

type StateOf = (job: string) => JobStatus | 'absent' | null;

/** From the queue, then from accounting, which not every cluster keeps. */
async function askStates(slurm: Slurm, jobs: readonly string[]): Promise<StateOf> {
  // On another machine than the cluster's there may be no Slurm, and the rest of the status is still worth telling.
  const answer = await slurm.readStates(jobs, true).catch(() => null);
  return answer === null || 'problem' in answer ? () => null : answer.stateOf;
}
