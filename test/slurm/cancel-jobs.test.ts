import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { acquireLock } from '../../src/files/lock.ts';
import { cancelJobs } from '../../src/runner/cluster/cancel-jobs.ts';
import { findOwner } from '../../src/runner/jobs/batch.ts';
import {
  readSubmittedRun,
  recordSubmittedRun,
  refuseCancelled,
} from '../../src/runner/jobs/submitted-run.ts';
import { createPrograms } from './fake-slurm.ts';
import { JobsFolder } from './jobs-folder.ts';

const scontrol = 'echo "ClusterName = c"';
const knowsNone = "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1";

/** @returns what is reported, and what `scancel` was told to cancel */
async function cancel(jobs: JobsFolder, targets: readonly string[], squeue = knowsNone) {
  const file = path.join(jobs.cache.root, 'told');
  const programs = { scontrol, squeue, scancel: `echo "$*" >> '${file}'` };
  const outcome = await cancelJobs(jobs.cache, targets, await createPrograms(programs), 0).catch(
    (error: unknown) => error,
  );
  return { outcome, told: existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [] };
}

const record = (jobs: JobsFolder, ids: readonly string[]): Promise<void> =>
  recordSubmittedRun(jobs.cache, { profile: 'quick', set: [], ids, forced: ids, failFast: false }, false);

describe('cancelling one stage', () => {
  test('leaves how others have ended to be told, and the rest of the run to go on with', async () => {
    const jobs = await JobsFolder.create();
    const broken = await jobs.add(['broken']);
    await JobsFolder.end(broken, 0, 'failed');
    const slow = await jobs.add(['slow']);
    await record(jobs, ['broken', 'slow', 'later']);
    expect(await cancel(jobs, ['slow'])).toMatchObject({
      outcome: { cancelled: [{ id: 'slow', job: '2' }] },
      told: ['2'],
    });
    expect([existsSync(broken.endFile(0)), existsSync(slow.root)]).toEqual([true, false]);
    expect(readSubmittedRun(jobs.cache)).toMatchObject({
      ids: ['broken', 'slow', 'later'],
      forced: ['broken', 'later'],
      cancelled: ['slow'],
    });
    // Who asks for it again wants it again.
    const run = { profile: 'quick', set: [], ids: ['slow'], forced: [], failFast: false };
    await recordSubmittedRun(jobs.cache, run, true);
    expect(readSubmittedRun(jobs.cache)?.cancelled).toEqual([]);
  });

  test('ends what waits for it first, which is noted even if the stage itself takes long to end', async () => {
    const jobs = await JobsFolder.create();
    const slow = await jobs.add(['slow']);
    const after = await jobs.add(['after'], {}, { after: [{ id: 'slow', endFile: slow.endFile(0) }] });
    await record(jobs, ['slow', 'after']);
    const { outcome } = await cancel(jobs, ['slow'], "echo '1|N/A|COMPLETING|0:05|node7|None'");
    expect(outcome).toMatchObject({
      code: 'jobs-ending',
      message: 'cancelled; 1 job is still ending: 1',
    });
    expect([slow.readEnd(0), existsSync(after.root)]).toEqual([null, false]);
    expect(readSubmittedRun(jobs.cache)?.cancelled).toEqual(['slow', 'after']);
  });

  test('does not wait for a node that cleans up once the job has said its last word', async () => {
    const jobs = await JobsFolder.create();
    const slow = await jobs.add(['slow']);
    const end = `{"version":1,"kind":"interrupted","job":"1","node":"node7"}`;
    const squeue = `echo '${end}' > '${slow.endFile(0)}'; echo '1|N/A|COMPLETING|0:05|node7|None'`;
    expect((await cancel(jobs, ['slow'], squeue)).outcome).toMatchObject({ cancelled: [{ id: 'slow' }] });
  });

  test("does not take another user's job that Slurm hides for one that has ended", async () => {
    const jobs = await JobsFolder.create();
    await jobs.add(['slow'], { owner: { user: 'anna', uid: findOwner().uid + 1 } });
    const { outcome, told } = await cancel(jobs, ['slow']);
    expect([outcome, told]).toEqual([expect.objectContaining({ code: 'locked' }), []]);
  });

  test('does not take jobs of another cluster for ended ones', async () => {
    const jobs = await JobsFolder.create();
    await jobs.add(['slow'], { cluster: 'other' });
    const { outcome, told } = await cancel(jobs, []);
    expect([outcome, told]).toEqual([expect.objectContaining({ code: 'slurm-cluster' }), []]);
  });
});

describe('cancelling everything', () => {
  test('leaves nothing but failures that nobody has seen', async () => {
    const jobs = await JobsFolder.create();
    const [broken, fine] = [await jobs.add(['broken']), await jobs.add(['fine'])];
    await JobsFolder.end(broken, 0, 'failed');
    await JobsFolder.end(fine, 0, 'done');
    await jobs.add(['slow@1', 'slow@2'], { jobId: '7' });
    await record(jobs, ['broken', 'fine', 'slow@1', 'slow@2', 'later']);
    expect((await cancel(jobs, [])).told).toEqual(['7_0 7_1']);
    expect([existsSync(broken.root), existsSync(fine.root)]).toEqual([true, false]);
    expect(readSubmittedRun(jobs.cache)?.cancelled).toEqual(['fine', 'slow@1', 'slow@2', 'later']);
    await broken.remove();
    await cancel(jobs, []);
    expect(existsSync(jobs.cache.jobs)).toBe(false);
  });

  test('also what is damaged, except for the file that names the jobs', async () => {
    const jobs = await JobsFolder.create();
    const folder = await jobs.add(['slow']);
    const runFile = path.join(jobs.cache.jobs, 'run.json');
    for (const file of [runFile, path.join(folder.taskFolder(0), 'task.json')]) writeFileSync(file, '{');
    expect(() => folder.readTask(0)).toThrow(
      expect.objectContaining({ fix: expect.stringContaining('`./repro cancel` ends them') }),
    );
    expect((await cancel(jobs, [])).told).toEqual(['1']);
    expect(existsSync(jobs.cache.jobs)).toBe(false);
  });

  test('beside a run that still submits tells it to stop, and waits for the job that is on its way', async () => {
    const jobs = await JobsFolder.create();
    const folder = await jobs.add(['first'], { jobId: null });
    const lock = await acquireLock(jobs.cache.lock);
    const cancelling = cancel(jobs, []);
    await expect.poll(() => existsSync(path.join(jobs.cache.jobs, 'cancelled'))).toBe(true);
    expect(() => refuseCancelled(jobs.cache.jobs)).toThrow('this run was cancelled');
    const batch = folder.readBatch();
    if (batch !== null) await folder.writeBatch({ ...batch, jobId: '12' });
    expect(await cancelling).toMatchObject({ outcome: { isRunTold: true }, told: ['12'] });
    await lock.release();
    // It is for that run to take note of, and not for the next.
    expect(existsSync(folder.endFile(0))).toBe(true);
  });
});
