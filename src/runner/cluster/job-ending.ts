import { statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { ReproError } from '../../errors.ts';
import { phaseOf } from '../../executors/slurm/job-state.ts';
import { type Slurm, unreachable } from '../../executors/slurm/slurm.ts';
import type { SubmittedBatch } from './batch.ts';
import { hidden, isOwn } from './owner.ts';
import { hasEnded, writeTaskEnd } from './task-end.ts';

/** A job that is to end. */
export interface JobToEnd {
  readonly job: string;
  readonly submitted: SubmittedBatch;
  readonly index: number;
}

/** A stage that is told to end may take this long to save its work; then Slurm kills it. */
export const endedWithinMs = 60_000;

const askEveryMs = 500;

/**
 * Asks Slurm to cancel jobs.
 *
 * @throws {ReproError} `slurm-unreachable`, `slurm-refused`; `locked` if one is another user's, and Slurm does not show it
 */
export async function cancel(slurm: Slurm, jobs: readonly JobToEnd[]): Promise<void> {
  if (jobs.length === 0) return;
  await assertShown(slurm, jobs);
  const answer = await slurm.cancel(jobs.map(({ job }) => job));
  if (answer.kind === 'unknown') throw unreachable(answer.text);
  if (answer.kind === 'ok') return;
  throw new ReproError(
    'slurm-refused',
    `Slurm refuses to cancel\n  ${answer.text.replaceAll('\n', '\n  ')}`,
    { fix: 'Only who has submitted a job can end it.' },
  );
}

/** Of a job that it does not show, Slurm says the same as of one that has ended. */
async function assertShown(slurm: Slurm, jobs: readonly JobToEnd[]): Promise<void> {
  const others = jobs.filter(({ submitted }) => !isOwn(submitted.batch.owner));
  const answer = await slurm.readQueue(idsOf(others));
  if (answer.table === null) throw unreachable(answer.problem);
  const absent = others.find(({ job }) => !answer.table.has(job));
  if (absent === undefined) return;
  const { batch, folder } = absent.submitted;
  throw hidden(absent.job, batch.owner, folder.root);
}

/**
 * Waits until cancelled jobs have ended, so that nothing writes to the folder any more, and takes note of that for each.
 *
 * @param say how a job ended that could not say so itself
 * @returns those that still end after that time
 * @throws {ReproError} `slurm-unreachable` if it is not known then
 */
export async function awaitEnd<Job extends JobToEnd>(
  slurm: Slurm,
  jobs: readonly Job[],
  say: (job: Job) => string,
  withinMs = endedWithinMs,
): Promise<readonly Job[]> {
  const before = new Map(jobs.map((one) => [one, timeOfEnd(one)]));
  const until = performance.now() + withinMs;
  for (let rest = jobs; rest.length > 0; ) {
    const answer = await slurm.readQueue(idsOf(rest));
    const { table } = answer;
    const isActive = (one: Job): boolean => {
      const state = table?.get(one.job)?.state;
      if (state === undefined || phaseOf(state) !== 'active') return false;
      // Its node cleans up, which may take minutes; the job has said its last word.
      return state !== 'COMPLETING' || timeOfEnd(one) === before.get(one);
    };
    const over = table === null ? [] : rest.filter((one) => !isActive(one));
    for (const one of over) await takeNote(one, say(one));
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

/** null if it has not said how it ended. */
function timeOfEnd({ submitted: { folder }, index }: JobToEnd): number | null {
  return statSync(folder.endFile(index), { throwIfNoEntry: false })?.mtimeMs ?? null;
}

async function takeNote({ submitted: { folder }, index, job }: JobToEnd, text: string): Promise<void> {
  if (hasEnded(folder.readEnd(index))) return;
  const said = { code: 'cancelled', text, node: 'none' };
  await writeTaskEnd(folder.endFile(index), { version: 1, kind: 'failed', job, ...said });
}

function idsOf(jobs: readonly JobToEnd[]): string[] {
  return [...new Set(jobs.map(({ job }) => job.split('_', 1)[0] ?? job))];
}
