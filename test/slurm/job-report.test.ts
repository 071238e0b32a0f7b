import { expect, test } from 'vitest';
import { describeJob } from '../../src/cli/run/status.ts';
import { readJobReports } from '../../src/runner/cluster/job-report.ts';
import { findOwner } from '../../src/runner/jobs/batch.ts';
import { writeTaskEnd } from '../../src/runner/jobs/task-end.ts';
import { createPrograms } from './fake-slurm.ts';
import { JobsFolder } from './jobs-folder.ts';

const squeue = "echo '1|N/A|RUNNING|0:05|node7|None'";

async function describeJobs(programs: Readonly<Record<string, string>>): Promise<string[]> {
  const jobs = await JobsFolder.create();
  for (const id of ['runs', 'forgotten', 'over']) await jobs.add([id]);
  await JobsFolder.end(await jobs.add(['ended']), 0, 'done');
  await jobs.add(['hidden'], { owner: { user: 'anna', uid: findOwner().uid + 1 } });
  const reports = await readJobReports(jobs.cache, await createPrograms(programs));
  return [...reports.jobs.values()].flatMap((one) => describeJob(one));
}

test('status says what accounting knows about jobs that the queue has forgotten', async () => {
  expect(await describeJobs({ squeue, sacct: "echo '2|TIMEOUT|00:01:00|node7|0:0'" })).toEqual([
    'job 1 runs on node7 for 5.0 s',
    'job 2 on node7 reached its time limit; `./repro attach` records it',
    'Slurm no longer knows job 3, and it left no result; `./repro attach` records it',
    'job 4 has succeeded; `./repro attach` records it',
    'job 5: Slurm reports no status now',
  ]);
});

test('without accounting, or without Slurm, it says what is known', async () => {
  expect((await describeJobs({ squeue, sacct: 'exit 1' }))[1]).toBe('job 2: Slurm reports no status now');
  expect((await describeJobs({}))[0]).toBe('job 1: Slurm reports no status now');
});

test('it says how a job has failed, and of which run it is if that is another', async () => {
  const jobs = await JobsFolder.create();
  const selection = { profile: 'full', set: ['train.epochs=2', 'a.title=x y'] };
  const train = await jobs.add(['train'], { selection });
  await JobsFolder.end(train, 0, 'failed');
  const after = [{ id: 'train', endFile: train.endFile(0) }];
  await jobs.add(['evaluate'], {}, { after });
  await jobs.add(['report']);
  const absent = await createPrograms({ squeue: 'true', sacct: 'true' });
  const { jobs: reports } = await readJobReports(jobs.cache, absent);
  const lines = [...reports.values()].flatMap((one) => describeJob(one, one.selection.profile === 'full'));
  expect(lines).toEqual([
    "job 1 failed: broken; `./repro attach` records it (of --profile full --set train.epochs=2 --set 'a.title=x y')",
    'job 2 never ran, because a job that it depends on failed; `./repro attach` records it',
    'Slurm no longer knows job 3, and it left no result; `./repro attach` records it',
  ]);
});

test('it says of a job that is to be gone on with that its time is over, not that it has failed', async () => {
  const jobs = await JobsFolder.create();
  const end = { version: 1, job: '1', node: 'n', kind: 'interrupted', because: 'time' } as const;
  await writeTaskEnd((await jobs.add(['train'])).endFile(0), end);
  const programs = await createPrograms({ squeue: "echo '1|N/A|FAILED|0:05|n|NonZeroExitCode'" });
  const { jobs: reports } = await readJobReports(jobs.cache, programs);
  expect([...reports.values()].flatMap((one) => describeJob(one))).toEqual([
    'job 1 on n used up its time, and Slurm did not requeue it; `./repro attach` records it',
  ]);
});
