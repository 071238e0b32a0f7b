import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { findExistingJobs } from '../../src/runner/cluster/existing-jobs.ts';
import { recoverBatch } from '../../src/runner/cluster/submission.ts';
import { findOwner, isOwn } from '../../src/runner/jobs/batch.ts';
import { isRightJob } from '../../src/runner/jobs/claim.ts';
import { CliProject } from '../runner/rig/cli-project.ts';
import { createPrograms, createSlurm } from './fake-slurm.ts';
import { JobsFolder } from './jobs-folder.ts';

/** What Slurm says of jobs that it has forgotten, and of those that it does not show. */
const knowsNone = "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1";

const find = async (jobs: JobsFolder, squeue = knowsNone) =>
  findExistingJobs(jobs.cache.jobs, {
    slurm: await createSlurm({ squeue }),
    cluster: { name: 'c', hasAccounting: false },
    selection: { profile: 'quick', set: [] },
  });

const anna = { user: 'anna', uid: findOwner().uid + 1 };

describe('a job of another user', () => {
  test('that Slurm does not show may be at work, so nothing is begun beside it', async () => {
    const jobs = await JobsFolder.create();
    await jobs.add(['train'], { owner: anna });
    await expect(find(jobs)).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining('job 1 of user "anna" may still work in this folder'),
    });
  });

  test('is known once it has ended by itself, or where Slurm shows it', async () => {
    const jobs = await JobsFolder.create();
    await JobsFolder.end(await jobs.add(['train'], { owner: anna }), 0, 'failed');
    await jobs.add(['test'], { owner: anna });
    const existing = await find(jobs, "echo '2|N/A|RUNNING|0:05|node7|None'");
    expect([...existing.latest].map(([id, { verdict }]) => [id, verdict.kind])).toEqual([
      ['train', 'failed'],
      ['test', 'wait'],
    ]);
  });

  test('whose id is not on disk keeps its folder, and stays without a claim', async () => {
    const jobs = await JobsFolder.create();
    const folder = await jobs.add(['train'], { owner: anna, jobId: null });
    await expect(find(jobs, 'true')).rejects.toMatchObject({ code: 'locked' });
    expect([existsSync(folder.batchFile), await isRightJob(folder.claimFile, { SLURM_JOB_ID: '9' })]).toEqual(
      [true, true],
    );
  });

  test('is that of another number, whatever the name', () => {
    expect([isOwn(findOwner()), isOwn({ ...findOwner(), uid: anna.uid })]).toEqual([true, false]);
  });
});

describe('a job whose id is not on disk', () => {
  const recover = async (jobs: JobsFolder, squeue: (claimFile: string) => string) => {
    const folder = await jobs.add(['train'], { jobId: null });
    const batch = folder.readBatch();
    if (batch === null) throw new Error('no batch');
    const slurm = await createSlurm({ squeue: squeue(folder.claimFile) });
    return { folder, recovered: await recoverBatch(slurm, { batch, folder }) };
  };

  test('is found by its name', async () => {
    const jobs = await JobsFolder.create();
    const { folder, recovered } = await recover(jobs, () => "echo '7|PENDING|repro:token1'");
    expect([recovered?.batch.jobId, folder.readBatch()?.jobId]).toEqual(['7', '7']);
  });

  test('that starts once Slurm has said that there is none is the one that counts', async () => {
    const jobs = await JobsFolder.create();
    const { folder, recovered } = await recover(jobs, (claimFile) => `ln -s 7 '${claimFile}'`);
    expect([recovered?.batch.jobId, existsSync(folder.batchFile)]).toEqual(['7', true]);
  });

  test('that turns up only after that has nothing to do', async () => {
    const jobs = await JobsFolder.create();
    const { folder, recovered } = await recover(jobs, () => 'true');
    expect([recovered, existsSync(folder.root)]).toEqual([null, false]);
    expect(await isRightJob(folder.claimFile, { SLURM_JOB_ID: '9' })).toBe(false);
  });
});

test('a job whose folder of files is gone is an error that names it', async () => {
  const jobs = await JobsFolder.create();
  const folder = await jobs.add(['train']);
  const squeue = `mv '${folder.taskFolder(0)}' '${folder.root}/moved'; ${knowsNone}`;
  await expect(find(jobs, squeue)).rejects.toMatchObject({
    code: 'jobs-unreadable',
    where: folder.taskFolder(0),
  });
  await fs.access(`${folder.root}/moved`);
});

test('the default profile is the same run, whether it is named or not; a pipeline without profiles has none', async () => {
  const stage = `version: 1\nstages:\n  a: { cmd: [x], outputs: [artifacts/a] }\n`;
  const project = await CliProject.create({
    'pipeline.yaml': `${stage}profiles: { folder: profiles, default: small }\n`,
    'profiles/small.yaml': 'n: 1',
    'profiles/large.yaml': 'n: 2',
  });
  const { PATH } = await createPrograms({
    scontrol: 'echo "ClusterName = c"',
    sbatch: 'echo 7',
    squeue: "echo '7|N/A|PENDING|0:00||Priority'",
  });
  const submit = (...words: string[]) =>
    project.call(['run', '--executor', 'slurm', '--detach', ...words], {
      PATH: `${PATH}:${path.dirname(process.execPath)}`,
    });
  const outcomes = [await submit(), await submit('--profile', 'small'), await submit('--profile', 'large')];
  expect(outcomes.map(({ exitCode }) => exitCode)).toEqual([0, 0, 75]);
  expect(outcomes[2]?.stderr).toContain('jobs of another run work in this folder: 7 of --profile small');
  await project.remove('artifacts');
  await project.write('pipeline.yaml', stage);
  await submit();
  expect(JSON.parse(project.read('artifacts/.cache/jobs/run.json')).profile).toBeNull();
});
