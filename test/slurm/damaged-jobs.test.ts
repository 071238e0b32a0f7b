import { expect, test } from 'vitest';
import { CliProject } from '../runner/rig/cli-project.ts';

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
      expect.stringContaining(`${damaged}  what was`),
    ]);
    expect(stderr).toContain('squeue --me');
  }
  expect(project.has(damaged)).toBe(true);
});

test('status says so, and all that it knows', async () => {
  const project = await createProject();
  const { stdout, stderr, exitCode } = await project.call(['status', '--exit-code']);
  expect(stderr).toContain(`${damaged}  what was submitted to a cluster is not whole`);
  expect([stdout, exitCode]).toEqual([expect.stringMatching(/^a +up to date/), 0]);
});

test('a damaged note of what was asked for is not taken for none', async () => {
  const project = await createProject();
  await project.write('artifacts/.cache/jobs/run.json', '');
  const { stderr, exitCode } = await project.call(['attach']);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('jobs/run.json  what was submitted')]);
});
