import { setTimeout as wait } from 'node:timers/promises';
import { ReproError } from '../../base/errors.ts';
import { findHolder } from '../../base/files/lock.ts';
import { suggestName } from '../../base/schema/closest-name.ts';
import { isOnNode, isOver, type JobStatus, Slurm, unanswered } from '../executors/slurm/slurm.ts';
import { listJobs, listOutstanding, readClusterRun, tidyJobs, writeClusterRun } from '../jobs/jobs-folder.ts';
import type { CacheFolder } from '../store/cache-folder.ts';
import { findDriver } from './driver.ts';
import { type JobVerdict, judge } from './job-watch.ts';

/** The job of an instance, or of a run with `--detach`, as far as is known without watching it. */
export interface JobReport {
  /** null: its id is not on disk yet. */
  readonly job: string | null;
  /** null: Slurm did not answer, or was not asked. */
  readonly status: JobStatus | null;
  readonly isRunning: boolean;
  /** When its stage started, in milliseconds since 1970; null: it has not, or this is not known. */
  readonly startedMs: number | null;
  /**
   * `unreported`: it has ended according to Slurm, and its report may still appear. `ended`: the next `repro attach` or
   * `repro run --executor slurm` records its result.
   */
  readonly outcome: 'under-way' | 'unreported' | 'ended' | 'failed';
  /** How it failed. */
  readonly failure: string | null;
}

export interface JobReports {
  /** By instance. */
  readonly jobs: ReadonlyMap<string, JobReport>;
  /** The job of the run itself; null if there is none. */
  readonly driver: JobReport | null;
  /** Whether a runner is at work, or waits in the queue. */
  readonly isDriven: boolean;
}

/** The jobs of a project, through one call of `squeue`, and one of `sacct`, for all instances. @throws {ReproError} `jobs-unreadable` */
export async function readJobReports(
  folder: Pick<CacheFolder, 'jobs' | 'lock'>,
  environment: NodeJS.ProcessEnv,
): Promise<JobReports> {
  // Without Slurm on this machine, the rest of the status is still worth showing.
  const driver = await findDriver(folder, environment).catch(() => null);
  const isDriven = driver !== null || findHolder(folder.lock) !== null;
  const unended = listOutstanding(folder).flatMap(({ job }) => job.job ?? []);
  const answer = await new Slurm(environment).readStates(unended).catch(() => null);
  const jobs = listJobs(folder).map(({ folder: files, job: { id, name, job } }): [string, JobReport] => {
    const end = files.readEnd(name);
    const status = job === null || end !== null ? null : (answer?.stateOf(job) ?? null);
    const startedMs = files.readStarted(name)?.atMs ?? null;
    const untilMs = files.readPatience(name);
    // As the run at work judges; without one, nobody waits.
    const isSilent = untilMs === null ? !isDriven : Date.now() >= untilMs;
    const known = { job: job ?? '', end, hasStarted: startedMs !== null, status, isSilent };
    return [id, reportOf({ job, status, startedMs }, judge(known))];
  });
  return { isDriven, jobs: new Map(jobs), driver: driver && reportOf({ ...driver, startedMs: null }, null) };
}

function reportOf(
  known: Pick<JobReport, 'job' | 'status' | 'startedMs'>,
  verdict: JobVerdict | null,
): JobReport {
  const isRunning = known.status !== null && isOnNode(known.status);
  if (verdict === null) {
    const outcome = isOver(known.status) ? 'unreported' : 'under-way';
    return { ...known, isRunning, outcome, failure: null };
  }
  const failure = verdict.kind === 'failed' ? verdict.text : null;
  return { ...known, isRunning, outcome: failure === null ? 'ended' : 'failed', failure };
}

interface Cancelled {
  readonly cancelled: readonly { readonly id: string; readonly job: string }[];
  readonly driver: string | null;
  /** Whether a run is under way, which may be submitting more: it cancels that itself. */
  readonly isDriven: boolean;
}

/** How long to wait for what was cancelled: longer than Slurm gives a stage to save its work, before it kills the stage. */
const waitAtMostMs = 60_000;

/**
 * Cancels jobs that have not ended, and waits until they have, so that nothing writes to the folder any more.
 *
 * @param targets stages or instances; none: all, with the job of the run itself
 * @throws {ReproError} `usage` if a target is not part of the run; `slurm-unreachable`, `slurm-refused`; `jobs-ending` if they still end after a minute
 */
export async function cancelJobs(
  folder: CacheFolder,
  targets: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<Cancelled> {
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
  // First: a run that is submitting a job, whose id is not known here, cancels that itself.
  if (run !== null) {
    const all = new Set([...run.cancelled, ...known.filter(isWanted)]);
    await writeClusterRun(folder, { ...run, cancelled: [...all] });
  }
  const driver = targets.length === 0 ? (run?.driver ?? null) : null;
  // Then it submits no more.
  if (driver !== null) await cancelAndWait(slurm, [driver], folder);
  const cancelled: Cancelled['cancelled'][number][] = [];
  for (const { job } of listOutstanding(folder)) {
    if (!isWanted(job.id)) continue;
    const { kind, text } = job.job === null ? await slurm.findJob(job.name) : { kind: 'ok', text: job.job };
    if (kind !== 'ok') throw unanswered(text);
    if (text !== '') cancelled.push({ id: job.id, job: text });
  }
  await cancelAndWait(
    slurm,
    cancelled.map(({ job }) => job),
    folder,
  );
  // A run under way takes note of this itself.
  const isDriven = findHolder(folder.lock) !== null;
  if (!isDriven) {
    for (const { folder: files, job } of listJobs(folder)) if (isWanted(job.id)) await files.remove();
    if (targets.length === 0) await tidyJobs(folder);
  }
  return { cancelled, driver, isDriven };
}

async function cancelAndWait(
  slurm: Slurm,
  jobs: readonly string[],
  { jobs: where }: CacheFolder,
): Promise<void> {
  await slurm.cancel(jobs);
  for (const untilMs = performance.now() + waitAtMostMs; ; await wait(500)) {
    const { stateOf } = await slurm.readStates(jobs);
    const rest = jobs.filter((job) => !isOver(stateOf(job)));
    if (rest.length === 0) return;
    if (performance.now() < untilMs) continue;
    const count = rest.length === 1 ? '1 job is still ending' : `${rest.length} jobs are still ending`;
    throw new ReproError('jobs-ending', `cancelled; ${count}: ${rest.join(', ')}`, {
      where,
      fix: 'Nothing to do: Slurm ends them. Repeat the command later to forget them.',
    });
  }
}
