import fs from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTinyReproduction } from '../report/baseline/tiny-reproduction.ts';
import { type CliProject, repository } from '../runner/rig/cli-project.ts';
import { encoders, writeRecordings } from '../support/own-recordings.ts';

/** This project's own pipeline, with recordings of a user. */
let project: CliProject;
beforeAll(async () => {
  project = await createTinyReproduction();
  for (const name of ['pipeline.yaml', 'schemas', 'configs/claims.yaml', 'dist/explore.js']) {
    await fs.cp(path.join(repository, name), project.at(name), { recursive: true });
  }
  await writeRecordings(project.at('bars'), encoders.npy, (label, n) => `user0${n % 3}_${label}_${n}.npy`);
});
afterAll(() => project.remove('.'));

test('recordings of one’s own become a report in two commands', async () => {
  const made = await project.call(['data', 'new', 'bars', '--title', 'Moving bars']);
  expect(made.stdout).toMatch(/^users +3: 0, 1, 2$/m);
  const settings = ['train.epochs=2', 'seeds=[2020]', 'train.engine=wasm', 'evaluate.engine=wasm'];
  const sets = settings.flatMap((setting) => ['--set', setting]);
  const { stderr, exitCode } = await project.call(['run', '--profile', 'bars', ...sets]);
  expect([exitCode, stderr]).toEqual([
    0,
    expect.stringContaining('Moving bars: 21 training and 9 test clips'),
  ]);
  expect(stderr).toMatch(/^ {2}no-reg +2020 +\d+\.\d %/m);
  const page = project.read('artifacts/report/index.html').replaceAll(/(<[^>]*>|\s)+/g, ' ');
  for (const text of [
    'Another data set: Moving bars.',
    'Classes 3, chance 33.3 %',
    'training / validation / test 18 / 3 / 9',
    'Moving bars: 30 files, ',
    'Test 9 9',
    'user02_right_2.npy, user 2',
  ])
    expect(page).toContain(text);
  expect((await project.call(['data', 'info', 'bars'])).stdout).toMatch(/^licence +not stated$/m);
});
