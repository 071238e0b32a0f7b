import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadSelectedPlan } from '../../src/app/project/load-plan.ts';
import { compareConfiguration } from '../../src/app/records/check-configuration.ts';
import { readBaseline } from '../../src/report/baseline/collect.ts';
import { CliProject, repository } from '../runner/rig/cli-project.ts';

let project: CliProject;
beforeAll(async () => {
  project = await CliProject.copyConfiguration();
});
afterAll(() => project.remove('.'));

const check = (profile: string) => project.call(['check', '--no-data', '--profile', profile]);

const profiles = readdirSync(path.join(repository, 'configs/baselines')).map((file) =>
  path.basename(file, '.json'),
);

test.each(profiles)('the committed baseline of %s is of the committed configuration', async (profile) => {
  const plan = await loadSelectedPlan({ project: repository, profile, set: [] });
  const { differing, runs } = await compareConfiguration(plan, (await readBaseline(repository, profile))!);
  expect(differing).toEqual([]);
  expect(runs).toBeGreaterThan(0);
});

test('a baseline that fits is said to', async () => {
  const { exitCode, stdout } = await check('quick');
  expect(stdout).toBe('profile quick: configs/baselines/quick.json fits this configuration');
  expect(exitCode).toBe(0);
});

test('a setting of a model, of the profile or of the frames, and a run too many or too few are named', async () => {
  await project.edit('configs/models/lambda-0.1.yaml', 'regulariseTau: 0.1', 'regulariseTau: 0.2');
  await project.edit('configs/profiles/quick.yaml', 'downsample: 4', 'downsample: 2');
  await project.edit('configs/profiles/quick.yaml', 'epochs: 32', 'epochs: 31');
  await project.edit(
    'configs/profiles/quick.yaml',
    'models: [baseline, no-reg, ',
    'models: [baseline, lif, ',
  );
  const { exitCode, stdout } = await check('quick');
  expect(exitCode).toBe(4);
  const lines = stdout.split('\n').map((line) => line.replaceAll(/ +/g, ' '));
  expect(lines).toEqual([
    'baseline, seed 2020 differs frames.downsample: 4 → 2, train.epochs: 32 → 31',
    'lif, seed 2020 differs missing in configs/baselines/quick.json',
    'lambda-0.01, seed 2020 differs frames.downsample: 4 → 2, train.epochs: 32 → 31',
    'lambda-0.1, seed 2020 differs frames.downsample: 4 → 2, train.epochs: 32 → 31, train.loss.regulariseTau: 0.1 → 0.2',
    'no-reg, seed 2020 differs the profile has no such run',
    'profile quick: 5 of 5 runs in configs/baselines/quick.json do not fit this configuration',
    ' make them again: ./repro run --profile quick && ./repro baseline update --profile quick',
  ]);
});

test('a learning rate of one model is its own setting', async () => {
  await project.edit('configs/profiles/words.yaml', 'memoryless: 0.003', 'memoryless: 0.01');
  const { exitCode, stdout } = await check('words');
  expect(exitCode).toBe(4);
  expect(stdout).toMatch(/^memoryless, seed 2039 +differs +train\.learningRate: 0\.003 → 0\.01$/m);
  expect(stdout).not.toMatch(/^broad-gain, .*learningRate/m);
});
