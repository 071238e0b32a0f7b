import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Batch, BatchFolder } from '../../src/runner/jobs/batch.ts';
import { recordSubmittedRun, removeFinishedBatches } from '../../src/runner/jobs/submitted-run.ts';
import type { Plan } from '../../src/runner/plan/plan.ts';
import { JobsFolder } from './jobs-folder.ts';

/** A run whose latest known job of "a" is that of `known`, and that has ended. */
async function end(jobs: JobsFolder, known: BatchFolder): Promise<void> {
  const run = { profile: 'quick', set: [], ids: ['a'], forced: [], failFast: false };
  await recordSubmittedRun(jobs.cache, run, false);
  const batch = known.readBatch();
  if (batch === null) throw new Error(`${known.root} has no batch`);
  // Of which only the graph is looked at.
  const plan = { instances: new Map([['a', {}]]), dependencies: new Map() } as unknown as Plan;
  const placed = new Map([['a', { submitted: { batch, folder: known }, index: 0 }]]);
  await removeFinishedBatches({ folder: jobs.cache, plan }, ['a'], placed, new Set());
}

const unanswered: Partial<Batch> = { jobId: null };

test('a later submission that was not answered outlives the run, with what was asked for; the job that it replaces goes', async () => {
  const jobs = await JobsFolder.create();
  const first = await jobs.add(['a']);
  const second = await jobs.add(['a'], unanswered);
  await end(jobs, first);
  expect([first, second].map(({ root }) => existsSync(root))).toEqual([false, true]);
  expect(existsSync(`${jobs.cache.jobs}/run.json`)).toBe(true);
});

test('so does one that its job has claimed meanwhile', async () => {
  const jobs = await JobsFolder.create();
  const first = await jobs.add(['a']);
  const second = await jobs.add(['a'], { jobId: '7' });
  await end(jobs, first);
  expect(existsSync(second.root)).toBe(true);
});

test('what a later job has replaced goes with it', async () => {
  const jobs = await JobsFolder.create();
  await jobs.add(['a']);
  await end(jobs, await jobs.add(['a']));
  expect(existsSync(jobs.cache.jobs)).toBe(false);
});
