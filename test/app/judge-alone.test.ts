import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { CliProject, plainEnvironment, repository } from '../runner/rig/cli-project.ts';
import { studyFiles } from './small-study.ts';

const file = path.join(repository, 'dist/judge.mjs');

test('the judge is one file below 300 kB, with the licences of what is in it', async () => {
  const text = await fs.readFile(file, 'utf8');
  expect(Buffer.byteLength(text)).toBeLessThan(300_000);
  expect(text).toMatch(/^#!\/usr\/bin\/env node\n\/\*!\najv\n\nThe MIT License/);
  for (const name of ['commander', 'papaparse', 'yaml'])
    expect(text).toMatch(new RegExp(`^${name}\n\n`, 'm'));
});

test('it says and exits as `repro judge` does, in a folder with nothing else', async () => {
  const project = await CliProject.create({
    ...studyFiles,
    'bad.yaml': 'version: 1\nclaims: [{id: a, measure: {kind: accuracy, arm: 1}}]\n',
    'bad.csv': 'arm,seed,item,correct\na,1,1,2\n',
  });
  await fs.cp(file, project.at('judge.mjs'));
  for (const words of [
    ['judge.yaml', 'results.csv'],
    ['good.yaml', 'results.csv', '--json'],
    ['judge.yaml', 'results.csv', '--markdown'],
    ['bad.yaml', 'results.csv'],
    ['judge.yaml', 'bad.csv'],
    ['renamed.yaml', 'results.csv'],
  ]) {
    const [own, alone] = await Promise.all([
      project.call(['judge', ...words]),
      execa(process.execPath, ['judge.mjs', ...words], {
        cwd: project.root,
        reject: false,
        env: { ...plainEnvironment, NODE_PATH: '' },
      }),
    ]);
    const { exitCode, stdout, stderr } = own;
    expect({ exitCode: alone.exitCode, stdout: alone.stdout, stderr: alone.stderr }, `${words}`).toEqual({
      exitCode,
      stdout,
      stderr,
    });
  }
});

test('it tells its version and its own help, and points to that help', async () => {
  const call = (...words: readonly string[]) => execa(process.execPath, [file, ...words], { reject: false });
  const { version } = JSON.parse(await fs.readFile(path.join(repository, 'package.json'), 'utf8'));
  expect((await call('--version')).stdout).toBe(version);
  expect((await call('--help')).stdout).toContain('$ node judge.mjs judge.yaml results.csv --junit');
  expect(await call('judge.yaml', 'results.csv', '--jsn')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('(node judge.mjs --help describes its options)'),
  });
});
