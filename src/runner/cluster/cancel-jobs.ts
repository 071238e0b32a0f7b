import { statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { ReproError } from '../../errors.ts';
import { phaseOf } from '../../executors/slurm/job-state.ts';
import { Slurm, unreachable } from '../../executors/slurm/slurm.ts';
import { isHeld } from '../../files/lock.ts';
import { suggestName } from '../../schema/closest-name.ts';
import { hidden, isOwn, jobOf, type SubmittedBatch } from '../jobs/batch.ts';
import { findBatches } from '../jobs/jobs-folder.ts';
import { markCancelled, noteCancelled, readSubmittedRun, removeSubmittedRun } from '../jobs/submitted-run.ts';
import { hasEnded, writeTaskEnd } from '../jobs/task-end.ts';
import type { CacheFolder } from '../store/cache-folder.ts';
import { assertCluster } from './existing-jobs.ts';
import { findAgain, recoverBatch } from './submission.ts';

export interface CancelledJob {
  readonly id: string;
  readonly job: string;
}

export interface CancelReport {
  readonly cancelled: readonly CancelledJob[];
  /** Dependents of these, which will never run. Empty if a run is under way: that run cancels them itself. */
  readonly dropped: readonly CancelledJob[];
  /** Whether a run under way was told to submit nothing more. */
  readonly isRunTold: boolean;
}

/** How often to check whether a job that is being submitted has an id. */
const lookEveryMs = 200;

/** Longer than the time limit of `sbatch`. */
const submittedWithinMs = 90_000;

interface Target extends CancelledJob, JobToEnd {}

/**
 * Cancels jobs that have not ended, and waits until they have, so that nothing writes to the folder any more. If all are cancelled, a run
 * under way submits nothing more.
 *
 * @param targets stages or instances; none: all
 * @param withinMs how long to wait
 * @throws {ReproError} `usage` if a target has no job; `slurm-cluster` if they are another cluster's; `slurm-unreachable`, `slurm-refused`; `jobs-ending` if they still end after a minute;
 *   `jobs-unreadable`, `jobs-damaged` once all that can be read are cancelled
 */
export async function cancelJobs(
  folder: CacheFolder,
  targets: readonly string[],
  environment: NodeJS.ProcessEnv,
  withinMs = endedWithinMs,
): Promise<CancelReport> {
  const slurm = new Slurm(environment);
  const { name } = await slurm.describe();
  const isWatched = await isHeld(folder.lock);
  const isRunTold = isWatched && targets.length === 0 && (await markCancelled(folder.jobs));
  const { batches, problems } = findBatches(folder.jobs);
  const all = await listUnended(slurm, batches, isWatched ? folder.lock : null);
  for (const { submitted } of all) assertCluster(submitted, name);
  const wanted = targets.length === 0 ? all : select(all, targets);
  await cancel(slurm, wanted);
  const dropped = isWatched ? [] : findDependents(all, wanted);
  await cancel(slurm, dropped);
  // Dropped jobs have not started, so this takes no time.
  const isDropped = ({ job }: Target) => `job ${job} was dropped: a job that it depends on was cancelled`;
  const isCancelled = ({ job }: Target) => `job ${job} was cancelled`;
  const ending = [
    ...(await awaitEnd(slurm, dropped, isDropped, withinMs)),
    ...(await awaitEnd(slurm, wanted, isCancelled, withinMs)),
  ];
  // A run under way records this itself, and removes what is left.
  if (!(await isHeld(folder.lock))) await tidy(folder, [...wanted, ...dropped], targets.length === 0);
  if (ending.length > 0) throw stillEnding(ending, folder);
  const [problem] = problems;
  if (problem !== undefined) throw problem;
  return { cancelled: wanted.map(toReport), dropped: dropped.map(toReport), isRunTold };
}

function stillEnding(jobs: readonly Target[], folder: CacheFolder): ReproError {
  const count = jobs.length === 1 ? '1 job is still ending' : `${jobs.length} jobs are still ending`;
  return new ReproError('jobs-ending', `cancelled; ${count}: ${jobs.map(({ job }) => job).join(', ')}`, {
    where: folder.jobs,
    fix: 'Nothing to do: Slurm ends them, and `./repro attach` then records it.',
  });
}

/** @param lock of a run under way; null if there is none */
async function listUnended(
  slurm: Slurm,
  batches: readonly SubmittedBatch[],
  lock: string | null,
): Promise<Target[]> {
  const found: Target[] = [];
  for (const one of batches) {
    const submitted = lock === null ? await recoverBatch(slurm, one) : await awaitJobId(slurm, one, lock);
    if (submitted === null) continue;
    for (const { id, index } of submitted.batch.tasks) {
      const job = jobOf(submitted.batch, index);
      if (job !== null && !hasEnded(submitted.folder.readEnd(index)))
        found.push({ id, job, submitted, index });
    }
  }
  return found;
}

/** Waits for the id of a batch that may be being submitted; null if there is none. */
async function awaitJobId(slurm: Slurm, one: SubmittedBatch, lock: string): Promise<SubmittedBatch | null> {
  const { folder } = one;
  for (const until = performance.now() + submittedWithinMs; performance.now() < until; ) {
    const batch = folder.readBatch();
    if (batch === null || batch.jobId !== null) return batch === null ? null : { batch, folder };
    if (!(await isHeld(lock))) return recoverBatch(slurm, one);
    await wait(lookEveryMs);
  }
  const jobId = await findAgain(slurm, one);
  return jobId === null ? null : { batch: { ...one.batch, jobId }, folder };
}

function select(all: readonly Target[], targets: readonly string[]): Target[] {
  const names = [...new Set(all.flatMap(({ id, submitted }) => [submitted.batch.stage, id]))];
  for (const target of targets) {
    if (names.includes(target)) continue;
    throw new ReproError('usage', `"${target}" has no job to cancel`, {
      fix: names.length === 0 ? 'No job of this project is under way.' : suggestName(target, names),
    });
  }
  return all.filter(({ id, submitted }) => targets.includes(id) || targets.includes(submitted.batch.stage));
}

/** The direct and indirect dependents of cancelled jobs, except of jobs that succeeded at the last moment. */
function findDependents(all: readonly Target[], cancelled: readonly Target[]): Target[] {
  const isMade = ({ submitted, index }: Target): boolean => {
    const kind = submitted.folder.readEnd(index)?.kind;
    return kind === 'done' || kind === 'hit';
  };
  const unmade = new Set(cancelled.filter((one) => !isMade(one)).map(endFileOf));
  const rest = new Set(all.filter((one) => !cancelled.includes(one)));
  const found: Target[] = [];
  for (let before = -1; before < found.length; ) {
    before = found.length;
    for (const one of rest) {
      const after = one.submitted.folder.readTask(one.index)?.after ?? [];
      if (!after.some(({ endFile }) => unmade.has(endFile))) continue;
      rest.delete(one);
      unmade.add(endFileOf(one));
      found.push(one);
    }
  }
  return found;
}

/** The instances of the run; if all are cancelled, a damaged file does not matter. */
function readAsked(folder: CacheFolder, isAll: boolean): readonly string[] {
  try {
    return readSubmittedRun(folder)?.ids ?? [];
  } catch (error) {
    if (isAll && error instanceof ReproError && error.code === 'jobs-damaged') return [];
    throw error;
  }
}

function endFileOf({ submitted, index }: Target): string {
  return submitted.folder.endFile(index);
}

function toReport({ id, job }: Target): CancelledJob {
  return { id, job };
}

/**
 * Removes what was cancelled, so that a command that continues the run does not submit it again. The ends of other jobs are still to be
 * reported.
 *
 * @param isAll whether nothing of the run is wanted any more
 */
async function tidy(folder: CacheFolder, ended: readonly Target[], isAll: boolean): Promise<void> {
  const cancelled = new Set(ended.map(endFileOf));
  const isOver = ({ batch, folder: files }: SubmittedBatch): boolean =>
    batch.tasks.every(({ index }) => {
      const end = files.readEnd(index);
      if (!hasEnded(end)) return false;
      return cancelled.has(files.endFile(index)) || (isAll && end.kind !== 'failed');
    });
  const { batches, problems } = findBatches(folder.jobs);
  const over = batches.filter(isOver);
  const rest = batches.filter((one) => !over.includes(one));
  const untold = new Set(
    rest.flatMap(({ batch, folder: files }) =>
      batch.tasks.filter(({ index }) => !cancelled.has(files.endFile(index))).map(({ id }) => id),
    ),
  );
  const asked = readAsked(folder, isAll);
  const ids = new Set((isAll ? asked : ended.map(({ id }) => id)).filter((id) => !untold.has(id)));
  await noteCancelled(folder, [...ids]);
  for (const one of over) await one.folder.remove();
  const isWhole = rest.length === 0 && problems.length === 0 && asked.every((id) => ids.has(id));
  if (isWhole) await removeSubmittedRun(folder);
}

/** A job to end. */
interface JobToEnd {
  readonly job: string;
  readonly submitted: SubmittedBatch;
  readonly index: number;
}

/** Longer than Slurm gives a stage to save its work, before it kills the stage. */
const endedWithinMs = 60_000;

const askEveryMs = 500;

/**
 * Asks Slurm to cancel jobs.
 *
 * @throws {ReproError} `slurm-unreachable`, `slurm-refused`; `locked` if Slurm does not show one because it is another user's
 */
async function cancel(slurm: Slurm, jobs: readonly JobToEnd[]): Promise<void> {
  if (jobs.length === 0) return;
  await assertShown(slurm, jobs);
  const answer = await slurm.cancel(jobs.map(({ job }) => job));
  if (answer.kind === 'unknown') throw unreachable(answer.text);
  if (answer.kind === 'ok') return;
  throw new ReproError(
    'slurm-refused',
    `Slurm refuses to cancel\n  ${answer.text.replaceAll('\n', '\n  ')}`,
    { fix: 'Only the user who submitted a job can cancel it.' },
  );
}

/** Slurm answers the same about a hidden job as about one that has ended. */
async function assertShown(slurm: Slurm, jobs: readonly JobToEnd[]): Promise<void> {
  const others = jobs.filter(({ submitted }) => !isOwn(submitted.batch.owner));
  const answer = await slurm.readQueue(others.map(({ job }) => job));
  if (answer.table === null) throw unreachable(answer.problem);
  const absent = others.find(({ job }) => !answer.table.has(job));
  if (absent === undefined) return;
  const { batch, folder } = absent.submitted;
  throw hidden(absent.job, batch.owner, folder.root);
}

/**
 * Waits until cancelled jobs have ended, so that nothing writes to the folder any more, and records the end of each.
 *
 * @param describe the end of a job that did not report it itself
 * @returns those that have not ended after that time
 * @throws {ReproError} `slurm-unreachable` if that is unknown then
 */
async function awaitEnd<Job extends JobToEnd>(
  slurm: Slurm,
  jobs: readonly Job[],
  describe: (job: Job) => string,
  withinMs = endedWithinMs,
): Promise<readonly Job[]> {
  const before = new Map(jobs.map((one) => [one, timeOfEnd(one)]));
  const until = performance.now() + withinMs;
  for (let rest = jobs; rest.length > 0; ) {
    const answer = await slurm.readQueue(rest.map(({ job }) => job));
    const { table } = answer;
    const isActive = (one: Job): boolean => {
      const state = table?.get(one.job)?.state;
      if (state === undefined || phaseOf(state) !== 'active') return false;
      // Its node may clean up for minutes, but the job has reported its end.
      return state !== 'COMPLETING' || timeOfEnd(one) === before.get(one);
    };
    const over = table === null ? [] : rest.filter((one) => !isActive(one));
    for (const one of over) await recordEnd(one, describe(one));
    rest = rest.filter((one) => !over.includes(one));
    if (rest.length === 0) break;
    if (performance.now() >= until) {
      if (answer.table === null) throw unreachable(answer.problem);
      return rest;
    }
    await wait(askEveryMs);
  }
  return [];
}

/** null if it has not reported its end. */
function timeOfEnd({ submitted: { folder }, index }: JobToEnd): number | null {
  return statSync(folder.endFile(index), { throwIfNoEntry: false })?.mtimeMs ?? null;
}

async function recordEnd({ submitted: { folder }, index, job }: JobToEnd, text: string): Promise<void> {
  if (hasEnded(folder.readEnd(index))) return;
  const said = { code: 'cancelled', text, node: 'none' };
  await writeTaskEnd(folder.endFile(index), { version: 1, kind: 'failed', job, ...said });
}
