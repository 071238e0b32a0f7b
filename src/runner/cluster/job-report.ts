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

/** The jobs of a project by instance, through one call of Slurm for all of them. */
export async function readJobReports(
  folder: Pick<CacheFolder, 'jobs'>,
  environment: NodeJS.ProcessEnv,
): Promise<ReadonlyMap<string, JobReport>> {
  const found = listJobs(folder);
  const unended = found.flatMap(({ folder: files, job }) =>
    job.job === null || files.readEnd(job.token) !== null ? [] : [job.job],
  );
  // Without Slurm on this machine, the rest of the status is still worth showing.
  const answer = await new Slurm(environment).readStates(unended, true).catch(() => null);
  const reports = new Map<string, JobReport>();
  for (const { folder: files, job } of found) {
    const end = files.readEnd(job.token);
    const known = job.job === null || end !== null ? null : (answer?.stateOf(job.job) ?? null);
    const verdict = judge({ job: job.job ?? '', end, status: known, isSilent: true });
    const status = known === 'absent' ? null : known;
    const failure =
      verdict === null
        ? null
        : verdict.kind !== 'ended'
          ? verdict.text
          : 'text' in verdict.end
            ? verdict.end.text
            : null;
    reports.set(job.id, {
      job: job.job,
      status,
      isRunning: status !== null && isOnNode(status.state),
      outcome: verdict === null ? 'under-way' : failure === null ? 'ended' : 'failed',
      failure,
    });
  }
  return reports;
}

/** The job in which a run goes on; null if there is none. */
export async function readDriverReport(
  folder: Pick<CacheFolder, 'jobs'>,
  environment: NodeJS.ProcessEnv,
): Promise<JobReport | null> {
  const driver = await findDriver(folder, environment).catch(() => null);
  if (driver === null) return null;
  const status = driver.status === 'unknown' ? null : driver.status;
  const isRunning = status !== null && isOnNode(status.state);
  return { job: driver.job, status, isRunning, outcome: 'under-way', failure: null };
}

interface CancelledJob {
  readonly id: string;
  readonly job: string;
}

/** Longer than Slurm gives a stage to save its work, before it kills the stage. */
const endedWithinMs = 60_000;

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
  const slurm = new Slurm(environment);
  const { hasAccounting } = await slurm.describe();
  const run = readClusterRun(folder);
  const known = [...new Set([...(run?.selected ?? []), ...listJobs(folder).map(({ job }) => job.id)])];
  const wanted = known.filter(
    (id) => targets.length === 0 || targets.some((target) => id === target || id.startsWith(`${target}@`)),
  );
  const names = [...new Set(known.flatMap((id) => [id.split('@', 1)[0] ?? id, id]))];
  const stranger = targets.find((target) => !names.includes(target));
  if (stranger !== undefined) {
    throw new ReproError('usage', `"${stranger}" is not part of a run on a cluster`, {
      fix: names.length === 0 ? 'No such run is under way.' : suggestName(stranger, names),
    });
  }
  // First, so that a run under way either finds this or its job is found here.
  if (run !== null)
    await writeClusterRun(folder, { ...run, cancelled: [...new Set([...run.cancelled, ...wanted])] });
  const driver = targets.length === 0 ? (run?.driver ?? null) : null;
  if (driver !== null) await cancel(slurm, [driver]);
  const cancelled: CancelledJob[] = [];
  const isDriven = isHeld(folder.lock);
  for (const one of listJobs(folder)) {
    const { id, token } = one.job;
    const job =
      wanted.includes(id) && one.folder.readEnd(token) === null
        ? await findId(slurm, one, hasAccounting, isDriven)
        : null;
    if (job !== null) cancelled.push({ id, job });
  }
  await cancel(
    slurm,
    cancelled.map(({ job }) => job),
  );
  const ending = await awaitEnd(slurm, [
    ...(driver === null ? [] : [driver]),
    ...cancelled.map(({ job }) => job),
  ]);
  // A run under way takes note of this itself.
  if (!isHeld(folder.lock)) {
    for (const { folder: files, job } of listJobs(folder)) {
      if (wanted.includes(job.id) && ending.length === 0) await files.remove();
    }
    if (targets.length === 0) await tidyJobs(folder);
  }
  if (ending.length > 0) {
    const count = ending.length === 1 ? '1 job is still ending' : `${ending.length} jobs are still ending`;
    throw new ReproError('jobs-ending', `cancelled; ${count}: ${ending.join(', ')}`, {
      where: folder.jobs,
      fix: 'Nothing to do: Slurm ends them. Repeat the command later to forget them.',
    });
  }
  return { cancelled, driver };
}

/** How long a run under way may take to learn the id of what it submits; without one, nothing changes any more. */
const submittedWithinMs = 60_000;

/** The id of a job; null if there is none. */
async function findId(
  slurm: Slurm,
  { folder, job }: FoundJob,
  hasAccounting: boolean,
  isDriven: boolean,
): Promise<string | null> {
  for (const until = performance.now() + submittedWithinMs; ; ) {
    const now = folder.readJob();
    if (now?.job != null || now === null) return now?.job ?? null;
    const found = await slurm.findJob(nameOf(job), hasAccounting);
    if ('problem' in found) throw unreachable(found.problem);
    if (found.id !== null) return job.index === null ? found.id : `${found.id}_${job.index}`;
    if (!isDriven || performance.now() > until) return null;
    await wait(askEveryMs);
  }
}

/** @throws {ReproError} `slurm-unreachable`, `slurm-refused` */
async function cancel(slurm: Slurm, jobs: readonly string[]): Promise<void> {
  const answer = await slurm.cancel(jobs);
  if (answer.kind === 'unknown') throw unreachable(answer.text);
  if (answer.kind === 'ok') return;
  const said = answer.text.replaceAll('\n', '\n  ');
  throw new ReproError('slurm-refused', `Slurm refuses to cancel\n  ${said}`, {
    fix: 'Only the user who submitted a job can cancel it.',
  });
}

/** @returns the jobs that have not ended after a minute */
async function awaitEnd(slurm: Slurm, jobs: readonly string[]): Promise<readonly string[]> {
  for (const until = performance.now() + endedWithinMs; ; ) {
    const { stateOf } = await slurm.readStates(jobs, false);
    const isActive = (job: string): boolean => {
      const status = stateOf(job);
      return status === null || (status !== 'absent' && !isFinal(status.state));
    };
    const rest = jobs.filter(isActive);
    if (rest.length === 0 || performance.now() >= until) return rest;
    await wait(askEveryMs);
  }
}
