import { expect, test } from 'vitest';
import { describeJob } from '../../src/cli/cluster/job-line.ts';
import { readJobReports } from '../../src/runner/cluster/job-report.ts';
import { findOwner } from '../../src/runner/cluster/owner.ts';
import { createPrograms } from './fake-slurm.ts';
import { JobsFolder } from './jobs-folder.ts';

const squeue = "echo '1|N/A|RUNNING|0:05|node7|None'";

async function describeJobs(programs: Readonly<Record<string, string>>): Promise<string[]> {
  const jobs = await JobsFolder.create();
  for (const id of ['runs', 'forgotten', 'over']) await jobs.add([id]);
  await JobsFolder.end(await jobs.add(['ended']), 0, 'done');
  await jobs.add(['hidden'], { owner: { user: 'anna', uid: findOwner().uid + 1 } });
  const reports = await readJobReports(jobs.cache, await createPrograms(programs));
  return [...reports.jobs.values()].map(describeJob);
}

test('status says what accounting knows about jobs that the queue has forgotten', async () => {
  expect(await describeJobs({ squeue, sacct: "echo '2|TIMEOUT|00:01:00|node7|0:0'" })).toEqual([
    'job 1 runs on node7 for 5.0 s',
    'job 2 has ended as TIMEOUT: `repro attach` takes note of it',
    'job 3 has ended: `repro attach` takes note of it',
    'job 4 has ended: `repro attach` takes note of it',
    'job 5, of which Slurm says nothing now',
  ]);
});

test('without accounting, or without Slurm, it says what is known', async () => {
  expect((await describeJobs({ squeue, sacct: 'exit 1' }))[1]).toBe('job 2, of which Slurm says nothing now');
  expect((await describeJobs({}))[0]).toBe('job 1, of which Slurm says nothing now');
});
