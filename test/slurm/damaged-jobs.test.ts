import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { BatchFolder } from '../../src/runner/jobs/batch.ts';
import { CliProject, plainEnvironment, repro } from '../runner/rig/cli-project.ts';

const damaged = 'artifacts/.cache/jobs/0123456789ab/batch.json';

const createProject = async (): Promise<CliProject> => {
  const project = await CliProject.create({
    'pipeline.yaml': `version: 1\nstages:\n  a: { cmd: [sh, -c, 'mkdir "$REPRO_OUTPUT_0"'], outputs: [artifacts/a] }\n`,
  });
  expect((await project.call(['run'])).exitCode).toBe(0);
  await project.write(damaged, '{"version": 1, "token"');
  return project;
};

test('while a folder of jobs cannot be read, nothing that its jobs could meet is begun', async () => {
  const project = await createProject();
  for (const words of [['run'], ['gc', '--keep', '1']]) {
    const { stderr, exitCode } = await project.call(words);
    expect([words[0], exitCode, stderr]).toEqual([
      words[0],
      2,
      expect.stringContaining(`${damaged}  job data is`),
    ]);
    expect(stderr).toContain('squeue --me');
  }
  expect(project.has(damaged)).toBe(true);
});

test('status says so, and all that it knows', async () => {
  const project = await createProject();
  const { stdout, stderr, exitCode } = await project.call(['status', '--exit-code']);
  expect(stderr).toContain(`${damaged}  job data is incomplete`);
  expect([stdout, exitCode]).toEqual([expect.stringMatching(/^a +up to date/), 0]);
});

test('a damaged note of what was asked for is not taken for none', async () => {
  const project = await createProject();
  await project.write('artifacts/.cache/jobs/run.json', '');
  const { stderr, exitCode } = await project.call(['attach']);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('jobs/run.json  job data is')]);
});

// Root may read everything, so it takes another user, who can read this checkout.
const other = { uid: 65_534, gid: 65_534 };
const hasOther =
  process.getuid?.() === 0 && spawnSync(process.execPath, [repro, '--version'], other).status === 0;

test.skipIf(!hasOther)(
  'another user of the folder sees that jobs work there, or at least that this cannot be seen',
  async () => {
    const project = await createProject();
    const token = path.dirname(damaged);
    await writeBatch(project);
    const runAsOther = () =>
      execa(process.execPath, [repro, 'run'], {
        ...{ cwd: project.root, reject: false, ...other },
        env: { ...plainEnvironment, HOME: project.root },
      });
    execFileSync('chmod', ['-R', 'a+rwX', project.root]);
    const refused = await runAsOther();
    expect([refused.exitCode, refused.stderr]).toEqual([75, expect.stringContaining('7 for "a"')]);
    await fs.chmod(project.at(token), 0o700);
    const blind = await runAsOther();
    expect([blind.exitCode, blind.stderr]).toEqual([2, expect.stringMatching(/cannot be read \(EACCES/)]);
    expect(blind.stderr).toContain('another user');
  },
);

function writeBatch(project: CliProject): Promise<void> {
  return new BatchFolder(project.at(path.dirname(damaged))).writeBatch({
    ...{ version: 1, token: '0123456789ab', stage: 'a', name: 'a.0', comment: 'repro:0', isArray: false },
    ...{ jobId: '7', cluster: 'c', owner: { user: 'me', uid: 0 }, submittedAt: '2026-01-01T00:00:00.000Z' },
    selection: { profile: null, set: [] },
    tasks: [{ index: 0, id: 'a' }],
  });
}
