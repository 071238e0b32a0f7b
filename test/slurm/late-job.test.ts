import fs from 'node:fs/promises';
import { expect, test } from 'vitest';
import { runStageJob } from '../../src/runner/cluster/stage-job.ts';
import { type ClusterContext, Submitter } from '../../src/runner/cluster/submitter.ts';
import { JobFolder } from '../../src/runner/jobs/jobs-folder.ts';
import { cacheFolderOf } from '../../src/runner/store/cache-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const job = { version: 1, id: 's', key: 'k', name: 's.1', job: null, continued: 0 } as const;

/** A submission without an answer, of which Slurm knows nothing. */
async function createLost() {
  const projectRoot = await temporaryFolder();
  const folder = cacheFolderOf({ projectRoot });
  const files = JobFolder.of(folder, job.id);
  await fs.mkdir(files.root, { recursive: true });
  await files.writeJob(job);
  await fs.writeFile(
    files.fileOf('launch.json'),
    JSON.stringify({ instance: { resume: [] }, launch: { cwd: projectRoot } }),
  );
  const context = {
    run: { session: { folder }, signal: new AbortController().signal, assertLocked: () => {} },
    slurm: { findJob: async () => ({ kind: 'ok', text: '' }) },
    settings: { pollSeconds: 0 },
  } as unknown as ClusterContext;
  return { files, submitter: new Submitter(context) };
}

test('a job that starts when its submission was given up ends at once, before the next is submitted', async () => {
  const { files, submitter } = await createLost();
  expect(await submitter.locate(job)).toBeNull();
  expect(await runStageJob(files.root, job.name, {})).toBe(0);
  expect((await fs.readdir(files.root)).sort()).toEqual(['job.json', 'launch.json', 'started-s.1.json']);
});

test('a submission is not given up once its job has started', async () => {
  const { files, submitter } = await createLost();
  await fs.writeFile(
    files.fileOf(`started-${job.name}.json`),
    JSON.stringify({ job: '7', node: 'n', atMs: 0, resume: '' }),
  );
  expect(await submitter.locate(job)).toMatchObject({ name: job.name, job: '7' });
});
