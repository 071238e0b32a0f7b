import { setTimeout as wait } from 'node:timers/promises';
import { ReproError } from '../../errors.ts';
import { phaseOf } from '../../executors/slurm/job-state.ts';
import { Slurm, unreachable } from '../../executors/slurm/slurm.ts';
import { isHeld } from '../../files/lock.ts';
import { suggestName } from '../../schema/closest-name.ts';
import type { CacheFolder } from '../cache/cache-folder.ts';
import { findBatches, jobOf, type SubmittedBatch } from './batch.ts';
import { recoverBatch } from './recovery.ts';
import { removeSubmittedRun } from './run-file.ts';
import { findAgain } from './submission.ts';
import { hasEnded, writeTaskEnd } from './task-end.ts';

export interface CancelledJob {
  readonly id: string;
  readonly job: string;
}

export interface CancelReport {
  readonly cancelled: readonly CancelledJob[];
  /** Jobs that waited for these, and so will never run. A runner that waits for them takes note of that itself: then there are none here. */
  readonly dropped: readonly CancelledJob[];
}

/** A stage that is told to end may take this long to save its work; then Slurm kills it. */
const endedWithinMs = 60_000;

const askEveryMs = 500;

interface Target extends CancelledJob {
  readonly submitted: SubmittedBatch;
  readonly index: number;
}

/**
 * Cancels jobs that have not ended, and waits until they have, so that nothing writes to the folder any more.
 *
 * @param targets stages or instances; none: all
 * @throws {ReproError} `usage` if a target has no job; `slurm-unreachable`; `jobs-unreadable`, `jobs-damaged` once all that can be read
 *   are cancelled
 */
export async function cancelJobs(
  folder: CacheFolder,
  targets: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<CancelReport> {
  const slurm = new Slurm(environment);
  const { batches, problems } = findBatches(folder.jobs);
  const isWatched = await isHeld(folder.lock);
  const all = await listUnended(slurm, batches, isWatched);
  const wanted = targets.length === 0 ? all : select(all, targets);
  await end(slurm, wanted, ({ job }) => `job ${job} was cancelled`);
  const dropped = isWatched ? [] : findDependents(all, wanted);
  await end(slurm, dropped, ({ job }) => `job ${job} was dropped: what it waited for was cancelled`);
  // Another runner that waits for them takes note of it, and removes what is left.
  if (!(await isHeld(folder.lock))) await removeEnded(folder);
  const [problem] = problems;
  if (problem !== undefined) throw problem;
  return { cancelled: wanted.map(toReport), dropped: dropped.map(toReport) };
}

async function listUnended(
  slurm: Slurm,
  batches: readonly SubmittedBatch[],
  isWatched: boolean,
): Promise<Target[]> {
  const found: Target[] = [];
  for (const one of batches) {
    const submitted = isWatched ? await withJobId(slurm, one) : await recoverBatch(slurm, one);
    if (submitted === null) continue;
    for (const { id, index } of submitted.batch.tasks) {
      const job = jobOf(submitted.batch, index);
      if (job !== null && !hasEnded(submitted.folder.readEnd(index)))
        found.push({ id, job, submitted, index });
    }
  }
  return found;
}

/** null for one that is just being submitted. */
async function withJobId(slurm: Slurm, { batch, folder }: SubmittedBatch): Promise<SubmittedBatch | null> {
  const jobId = batch.jobId ?? (await findAgain(slurm, { batch, folder }));
  return jobId === null ? null : { batch: { ...batch, jobId }, folder };
}

function select(all: readonly Target[], targets: readonly string[]): Target[] {
  const names = [...new Set(all.flatMap(({ id, submitted }) => [submitted.batch.stage, id]))];
  for (const target of targets) {
    if (names.includes(target)) continue;
    throw new ReproError('usage', `"${target}" has no job that could be cancelled`, {
      fix: names.length === 0 ? 'No job of this project is under way.' : suggestName(target, names),
    });
  }
  return all.filter(({ id, submitted }) => targets.includes(id) || targets.includes(submitted.batch.stage));
}

/** Those of the others that wait for what was cancelled, or for each other; not if that has ended well in the last moment. */
function findDependents(all: readonly Target[], cancelled: readonly Target[]): Target[] {
  const endFileOf = ({ submitted, index }: Target): string => submitted.folder.endFile(index);
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

async function end(slurm: Slurm, jobs: readonly Target[], say: (job: Target) => string): Promise<void> {
  if (jobs.length === 0) return;
  const answer = await slurm.cancel(jobs.map(({ job }) => job));
  if (answer.kind === 'unknown') throw unreachable(answer.text);
  if (answer.kind === 'refused') throw refused(answer.text);
  await awaitEnd(slurm, jobs);
  for (const one of jobs) await markCancelled(one, say(one));
}

function refused(said: string): ReproError {
  return new ReproError('slurm-refused', `Slurm refuses to cancel\n  ${said.replaceAll('\n', '\n  ')}`, {
    fix: 'Only who has submitted a job can end it.',
  });
}

async function awaitEnd(slurm: Slurm, jobs: readonly Target[]): Promise<void> {
  const ids = [...new Set(jobs.map(({ job }) => job.split('_', 1)[0] ?? job))];
  const until = performance.now() + endedWithinMs;
  for (;;) {
    const { table } = await slurm.readQueue(ids);
    const isActive = ({ job }: Target): boolean => {
      const status = table?.get(job);
      return status !== undefined && phaseOf(status.state) === 'active';
    };
    if (table !== null && !jobs.some(isActive)) return;
    if (performance.now() > until) throw unreachable('the jobs are cancelled, but have not ended yet');
    await wait(askEveryMs);
  }
}

async function markCancelled({ submitted: { folder }, index, job }: Target, text: string): Promise<void> {
  if (hasEnded(folder.readEnd(index))) return;
  const said = { code: 'cancelled', text, node: 'none' };
  await writeTaskEnd(folder.endFile(index), { version: 1, kind: 'failed', job, ...said });
}

function toReport({ id, job }: Target): CancelledJob {
  return { id, job };
}

/** Batches of which nothing goes on. */
async function removeEnded(folder: CacheFolder): Promise<void> {
  const { batches, problems } = findBatches(folder.jobs);
  const isOver = ({ batch, folder: files }: SubmittedBatch): boolean =>
    batch.tasks.every(({ index }) => hasEnded(files.readEnd(index)));
  const over = batches.filter(isOver);
  for (const one of over) await one.folder.remove();
  if (over.length === batches.length && problems.length === 0) await removeSubmittedRun(folder);
}
