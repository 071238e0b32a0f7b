import { setTimeout as wait } from 'node:timers/promises';
import { ReproError } from '../../errors.ts';
import { isFinal, isOnNode, type JobStatus } from '../../executors/slurm/job-state.ts';
import { Slurm, unreachable } from '../../executors/slurm/slurm.ts';
import { isHeld } from '../../files/lock.ts';
import { suggestName } from '../../schema/closest-name.ts';
import { type FoundJob, listJobs, readClusterRun, tidyJobs, writeClusterRun } from '../jobs/jobs-folder.ts';
import type { CacheFolder } from '../store/cache-folder.ts';
import { findDriver } from './driver.ts';
import { nameOf } from './submitter.ts';
import { judge } from './verdict.ts';

/** The job of an instance, as far as is known without watching it. */
export interface JobReport {
  /** null: its id is not on disk yet. */
  readonly job: string | null;
  /** null: Slurm did not answer, or no longer knows it. */
  readonly status: JobStatus | null;
  readonly isRunning: boolean;
  /** `ended`: the next `repro attach` or `repro run --executor slurm` takes in its result. */
  readonly outcome: 'under-way' | 'ended' | 'failed';
  /** How it failed. */
  readonly failure: string | null;
}

/** The jobs of a project by instance, through one call of `squeue`, and one of `sacct`, for all of them. */
export async function readJobReports(
  folder: Pick<CacheFolder, 'jobs'>,
  environment: NodeJS.ProcessEnv,
): Promise<ReadonlyMap<string, JobReport>> {
  const found = listJobs(folder).map(({ folder: files, job: { token, ...job } }) => ({
    ...{ job, end: files.readEnd(token), hasStarted: files.readStarted(token) !== null },
  }));
  const unended = found.flatMap(({ job, end }) => (job.job === null || end !== null ? [] : [job.job]));
  // Without Slurm on this machine, the rest of the status is still worth showing.
  const answer = await Slurm.connect(environment)
    .then((slurm) => slurm.readStates(unended))
    .catch(() => null);
  const unwanted = readClusterRun(folder)?.cancelled ?? [];
  return new Map(
    found.map(({ job, end, hasStarted }) => {
      const status = job.job === null || end !== null ? null : (answer?.stateOf(job.job) ?? null);
      const isUnwanted = unwanted.includes(job.id);
      const verdict = judge({ job: job.job ?? '', end, hasStarted, isUnwanted, status, isSilent: true });
      const failure = verdict?.kind === 'failed' ? verdict.text : null;
      const outcome = verdict === null ? 'under-way' : failure === null ? 'ended' : 'failed';
      return [job.id, reportOf(job.job, status === 'absent' ? null : status, outcome, failure)];
    }),
  );
}

function reportOf(
  job: string | null,
  status: JobStatus | null,
  outcome: JobReport['outcome'] = 'under-way',
  failure: string | null = null,
): JobReport {
  return { job, status, isRunning: status !== null && isOnNode(status.state), outcome, failure };
}

/** The job in which a run goes on; null if there is none. */
export async function readDriverReport(
  folder: Pick<CacheFolder, 'jobs'>,
  environment: NodeJS.ProcessEnv,
): Promise<JobReport | null> {
  const driver = await findDriver(folder, environment).catch(() => null);
  return driver && reportOf(driver.job, driver.status === 'unknown' ? null : driver.status);
}

interface CancelledJob {
  readonly id: string;
  readonly job: string;
}

/** How long to wait for what was cancelled: longer than Slurm gives a stage to save its work, before it kills the stage. */
const waitAtMostMs = 60_000;

const askEveryMs = 500;

/**
 * Cancels jobs that have not ended, and waits until they have, so that nothing writes to the folder any more.
 *
 * @param targets stages or instances; none: all, with the job in which the run goes on
 * @throws {ReproError} `usage` if a target is not part of the run; `slurm-unreachable`, `slurm-refused`; `jobs-ending` if they still end after a minute
 */
export async function cancelJobs(
  folder: CacheFolder,
  targets: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly cancelled: readonly CancelledJob[]; readonly driver: string | null }> {
  const slurm = await Slurm.connect(environment);
  const run = readClusterRun(folder);
  const known = [...new Set([...(run?.selected ?? []), ...listJobs(folder).map(({ job }) => job.id)])];
  const names = [...new Set(known.flatMap((id) => [id.split('@', 1)[0] ?? id, id]))];
  const stranger = targets.find((target) => !names.includes(target));
  if (stranger !== undefined) {
    throw new ReproError('usage', `"${stranger}" is not part of a run on a cluster`, {
      fix: names.length === 0 ? 'No such run is under way.' : suggestName(stranger, names),
    });
  }
  const isWanted = (id: string): boolean =>
    targets.length === 0 || targets.some((target) => id === target || id.startsWith(`${target}@`));
  // First, so that a run under way either finds this or its job is found here.
  if (run !== null) {
    const all = new Set([...run.cancelled, ...known.filter(isWanted)]);
    await writeClusterRun(folder, { ...run, cancelled: [...all] });
  }
  const driver = targets.length === 0 ? (run?.driver ?? null) : null;
  if (driver !== null) await slurm.cancel([driver]);
  const isDriven = isHeld(folder.lock);
  const cancelled: CancelledJob[] = [];
  for (const one of listJobs(folder)) {
    const { id, token } = one.job;
    if (!isWanted(id) || one.folder.readEnd(token) !== null) continue;
    const job = await findId(slurm, one, isDriven);
    if (job !== null) cancelled.push({ id, job });
  }
  const jobs = cancelled.map(({ job }) => job);
  await slurm.cancel(jobs);
  const ending = await awaitEnd(slurm, driver === null ? jobs : [driver, ...jobs]);
  if (ending.length > 0) {
    const count = ending.length === 1 ? '1 job is still ending' : `${ending.length} jobs are still ending`;
    throw new ReproError('jobs-ending', `cancelled; ${count}: ${ending.join(', ')}`, {
      where: folder.jobs,
      fix: 'Nothing to do: Slurm ends them. Repeat the command later to forget them.',
    });
  }
  // A run under way takes note of this itself.
  if (!isHeld(folder.lock)) {
    for (const { folder: files, job } of listJobs(folder)) if (isWanted(job.id)) await files.remove();
    if (targets.length === 0) await tidyJobs(folder);
  }
  return { cancelled, driver };
}

/** The id of a job; null if there is none. A run under way may be learning the id of what it submits. */
async function findId(slurm: Slurm, { folder, job }: FoundJob, isDriven: boolean): Promise<string | null> {
  for (const untilMs = performance.now() + waitAtMostMs; ; await wait(askEveryMs)) {
    const now = folder.readJob();
    if (now === null || now.job !== null) return now?.job ?? null;
    const found = await slurm.findJob(nameOf(job));
    if ('problem' in found) throw unreachable(found.problem);
    if (found.id !== null) return job.index === null ? found.id : `${found.id}_${job.index}`;
    if (!isDriven || performance.now() > untilMs) return null;
  }
}

/** @returns the jobs that have not ended after a minute */
async function awaitEnd(slurm: Slurm, jobs: readonly string[]): Promise<readonly string[]> {
  for (const untilMs = performance.now() + waitAtMostMs; ; await wait(askEveryMs)) {
    const { stateOf } = await slurm.readStates(jobs);
    const rest = jobs.filter((job) => {
      const status = stateOf(job);
      return status === null || (status !== 'absent' && !isFinal(status.state));
    });
    if (rest.length === 0 || performance.now() >= untilMs) return rest;
  }
}
