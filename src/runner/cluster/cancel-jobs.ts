import { setTimeout as wait } from 'node:timers/promises';
import { ReproError } from '../../errors.ts';
import { phaseOf } from '../../executors/slurm/job-state.ts';
import { Slurm, unreachable } from '../../executors/slurm/slurm.ts';
import { isHeld } from '../../files/lock.ts';
import { suggestName } from '../../schema/closest-name.ts';
import type { CacheFolder } from '../cache/cache-folder.ts';
import { jobOf, listBatches, type SubmittedBatch } from './batch.ts';
import { removeSubmittedRun } from './run-file.ts';
import { findAgain } from './submission.ts';
import { hasEnded, writeTaskEnd } from './task-end.ts';

export interface CancelledJob {
  readonly id: string;
  readonly job: string;
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
 * @throws {ReproError} `usage` if a target has no job; `slurm-unreachable`
 */
export async function cancelJobs(
  folder: CacheFolder,
  targets: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<CancelledJob[]> {
  const slurm = new Slurm(environment);
  const all = await listUnended(folder, slurm);
  const wanted = targets.length === 0 ? all : select(all, targets);
  if (wanted.length > 0) {
    const answer = await slurm.cancel(wanted.map(({ job }) => job));
    if (answer.kind === 'unknown') throw unreachable(answer.text);
    if (answer.kind === 'refused') throw new ReproError('slurm-refused', answer.text);
    await awaitEnd(slurm, wanted);
    for (const { submitted, index, job } of wanted) await markCancelled(submitted, index, job);
  }
  // Another runner that waits for them takes note of it, and removes what is left.
  if (!(await isHeld(folder.lock))) await removeEnded(folder);
  return wanted.map(({ id, job }) => ({ id, job }));
}

async function listUnended(folder: CacheFolder, slurm: Slurm): Promise<Target[]> {
  const found: Target[] = [];
  for (const submitted of listBatches(folder.jobs)) {
    const jobId = submitted.batch.jobId ?? (await findAgain(slurm, submitted.batch));
    if (jobId === null) continue;
    for (const { id, index } of submitted.batch.tasks) {
      const job = jobOf({ ...submitted.batch, jobId }, index);
      if (job !== null && !hasEnded(submitted.folder.readEnd(index)))
        found.push({ id, job, submitted, index });
    }
  }
  return found;
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

async function markCancelled({ folder }: SubmittedBatch, index: number, job: string): Promise<void> {
  if (hasEnded(folder.readEnd(index))) return;
  const said = { code: 'cancelled', text: `job ${job} was cancelled`, node: 'none' };
  await writeTaskEnd(folder.endFile(index), { version: 1, kind: 'failed', job, ...said });
}

/** Batches of which nothing goes on. */
async function removeEnded(folder: CacheFolder): Promise<void> {
  const batches = listBatches(folder.jobs);
  const isOver = ({ batch, folder: files }: SubmittedBatch): boolean =>
    batch.tasks.every(({ index }) => hasEnded(files.readEnd(index)));
  const over = batches.filter(isOver);
  for (const one of over) await one.folder.remove();
  if (over.length === batches.length) await removeSubmittedRun(folder);
}
