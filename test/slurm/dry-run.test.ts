import { mkdir, rename } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { CliProject } from '../runner/rig/cli-project.ts';

const pipeline = `version: 1
stages:
  a: { cmd: [sh, -c, 'mkdir "$REPRO_OUTPUT_0"'], outputs: [artifacts/a] }
`;

const create = (): Promise<CliProject> => CliProject.create({ 'pipeline.yaml': pipeline });
const dryRun = ['run', '--executor', 'slurm', '--dry-run'];

test('a dry run prints the script that would be submitted', async () => {
  const { stderr, stdout, exitCode } = await (await create()).call(dryRun);
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('#SBATCH --job-name=a\n')]);
  expect(stderr).toContain('would run: ');
});

test('a project whose path has a line break is refused before anything is submitted', async () => {
  const project = await create();
  const folder = project.at('two\nlines');
  await mkdir(folder);
  await rename(project.at('pipeline.yaml'), `${folder}/pipeline.yaml`);
  const { stderr, stdout, exitCode } = await project.call([...dryRun, '--project', folder]);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toContain('the path of this project contains a line break');
  expect((await project.call(['run', '--project', folder])).exitCode).toBe(0);
});
