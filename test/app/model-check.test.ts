import fs from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkModels } from '../../src/app/project/model-check.ts';
import { checkReport } from '../../src/app/project/report-check.ts';
import { describeError } from '../../src/base/errors.ts';
import { loadPlan } from '../../src/runner/plan/load.ts';
import { CliProject, repository } from '../runner/rig/cli-project.ts';

let project: CliProject;

const models = () => project.at('configs/models');

/** The code that the stages import is that of the project itself. */
beforeAll(async () => {
  project = await CliProject.copyConfiguration();
  for (const name of ['src', 'node_modules', 'package.json', 'package-lock.json']) {
    await fs.symlink(path.join(repository, name), project.at(name));
  }
});

beforeEach(async () => {
  await fs.rm(models(), { recursive: true });
  await fs.cp(path.join(repository, 'configs/models'), models(), { recursive: true });
});

afterAll(() => project.remove('.'));

/** The reported problems of the models under a profile; empty if there are none. */
async function problemsWith(profile: string, ...set: string[]): Promise<string> {
  const plan = await loadPlan({ projectRoot: project.root, profile, set });
  return checkModels(plan).then(
    () => '',
    (error: unknown) => describeError(error),
  );
}

const addLines = async (name: string, from: string, ...replacements: readonly [RegExp, string][]) => {
  const text = await fs.readFile(path.join(models(), `${from}.yaml`), 'utf8');
  const changed = replacements.reduce((now, [search, to]) => now.replace(search, to), text);
  await fs.writeFile(path.join(models(), `${name}.yaml`), changed);
};

const call = (...words: string[]) => project.call(words);

describe('what only the report reads is checked before anything runs:', () => {
  const claims = () => project.at('configs/claims.yaml');
  const reportProblems = async (...set: string[]) => {
    const plan = await loadPlan({ projectRoot: project.root, profile: 'full', set });
    const reports = [...plan.instances.values()].filter(({ stage }) => stage === 'report');
    return checkReport(plan, reports).then(
      () => '',
      (error: unknown) => describeError(error),
    );
  };

  afterEach(() => fs.copyFile(path.join(repository, 'configs/claims.yaml'), claims()));

  test.each([
    [
      'model: Baseline, split: test',
      'model: Basline, split: test',
      /:39 {2}field "claims\[0\]\.measure\.model" is "Basline", but no model's file has this `published\.name`; there are .*Baseline/,
    ],
    [
      'others: [No Reg., λ = .01',
      'others: [No Reg, λ = .01',
      /^configs\/claims\.yaml:\d+:\d+ {2}field "claims\[\d+\]\.measure\.others\[0\]" is "No Reg"/,
    ],
    [
      'id: test-no-reg',
      'id: test-baseline',
      /:9 {2}field "claims\[1\]\.id" is "test-baseline", like that of another claim/,
    ],
    [
      'share: 0.955',
      'share: 0.957',
      /:25 {2}field "claims\[0\]\.published\.share" is 0\.957, which is not a whole number of 288 clips/,
    ],
    [
      'source: thesis',
      'source: thsis',
      /:\d+ {2}field "claims\[\d+\]\.evidence\.source" is "thsis", which is not one of thesis, fang/,
    ],
  ])('a claim with %s in place of %s', async (from, to, expected) => {
    expect(await reportProblems()).toBe('');
    const text = await fs.readFile(claims(), 'utf8');
    await fs.writeFile(claims(), text.replace(from, to));
    expect(await reportProblems()).toMatch(/^configs\/claims\.yaml:\d+:\d+ {2}/);
    expect(await reportProblems()).toMatch(expected);
  });

  test('a question that compares an arm with a model that is not among them', async () => {
    const set = 'report.question={baseline: baseline, margin: 0.02, against: {no-reg: lif, channel: lif}}';
    expect(await reportProblems(set)).toContain(
      'report.question.against.no-reg: lif is not among the models, baseline, no-reg, lambda-0.01, lambda-0.1.',
    );
    expect(await reportProblems(set.replace('lif', 'baseline'))).toBe('');
    expect(await reportProblems(set.replace('no-reg: lif', 'no-rge: baseline'))).toContain(
      'report.question.against.no-rge: no-rge is not among the models',
    );
  });

  test('a question about a baseline that is not among the models', async () => {
    const set = 'report.question={baseline: lif, margin: 0.02}';
    expect(await reportProblems(set)).toContain(
      'report.question.baseline: lif is not among the models, baseline, no-reg, lambda-0.01, lambda-0.1.',
    );
    expect(await reportProblems(set.replace('lif', 'no-reg'))).toBe('');
    // Stages before the report need no baseline.
    const one = ['--profile', 'control', '--set', 'models=[lif]', '--dry-run'];
    expect((await call('run', 'evaluate', ...one)).exitCode).toBe(0);
    expect((await call('run', ...one)).stderr).toContain('baseline is not among the models, lif.');
  });

  test('a second endpoint on classes that the data set does not have', async () => {
    const set = (name: string) =>
      `report.question={baseline: no-reg, margin: 0.02, second: {text: arms, classes: [arm roll, ${name}], margin: 0.04}}`;
    expect(await reportProblems(set('arm_roll'))).toContain(
      'report.question.second.classes: arm_roll is not among the classes.',
    );
    expect(await reportProblems(set('air drums'))).toBe('');
  });
});

test('a profile asks a single question only of the data set that has one', async () => {
  const set = 'simulate.question=long';
  await expect(problemsWith('control', set)).rejects.toThrow(/simulate\.question: is not allowed here/);
  expect(await problemsWith('control-long', set)).toBe('');
});

describe('the models of a plan', () => {
  test.each(['quick', 'full', 'nmnist'])('have no problems under profile %s', async (profile) => {
    expect(await problemsWith(profile)).toBe('');
  });

  test('are all reported at once for an impossible switch, by the command line that sets it', async () => {
    const heads = (await problemsWith('full', 'train.compat.tau_per_neuron=dropped'))
      .split('\n')
      .filter((line) => !line.startsWith(' '));
    expect(heads).toEqual(
      ['0.01', '0.1'].map((lambda) =>
        expect.stringContaining(
          `--set train.compat.tau_per_neuron=dropped  "train.compat.tau_per_neuron" over configs/models/lambda-${lambda}.yaml: dropped leaves one τ per layer, and λ = ${lambda} would`,
        ),
      ),
    );
  });

  test('are reported by their own file if it sets the switch', async () => {
    await addLines('mine', 'lambda-0.1', [/^loss:/m, 'compat: { tau_per_neuron: dropped }\nloss:']);
    expect(await problemsWith('full', 'models=[mine, baseline]')).toMatch(
      /^configs\/models\/mine\.yaml {2}"compat\.tau_per_neuron": dropped leaves one τ per layer/,
    );
  });

  test('have one λ, or as many as spiking layers under the profile', async () => {
    await addLines('mine', 'lambda-0.1', [
      /regulariseTau: 0\.1/,
      'regulariseTau: [0.1, 0, 0, 0.2, 0.1, 0, 0]',
    ]);
    expect(await problemsWith('full', 'models=[mine, baseline]')).toBe('');
    expect(await problemsWith('quick', 'models=[mine, baseline]')).toMatch(
      /^configs\/models\/mine\.yaml {2}"loss\.regulariseTau": expected a number or a list of 5 \(one for each spiking layer\), found a list of 7\./,
    );
  });

  test.each([
    ['lambda-0.1', 'per: neuron', 'per: layer', 'loss.regulariseTau', 'λ weighs', 'tau.per=neuron'],
    ['lambda-0.1', 'neuron: plif', 'neuron: lif', 'loss.regulariseTau', 'λ weighs', 'neuron=plif'],
    ['two-fixed', 'per: neuron', 'per: layer', 'network.tau.values', 'neurons of a', 'tau.per=neuron'],
    ['fast-tau', 'neuron: plif', 'neuron: lif', 'train.tauRate', 'τ of LIF neurons', 'neuron=plif'],
  ])(
    '%s with %s as %s cannot have %s, unless a profile gives it a meaning',
    async (from, search, to, key, problem, set) => {
      await addLines('mine', from, [new RegExp(search), to]);
      expect(await problemsWith('full', 'models=[mine]')).toContain(
        `configs/models/mine.yaml  "${key}": ${problem}`,
      );
      expect(await problemsWith('full', 'models=[mine]', `train.network.${set}`)).toBe('');
      // A profile may take the meaning from some of its models.
      expect(
        await problemsWith(
          'full',
          `models=[${from}]`,
          `train.network.${to.replace(': ', '=').replace('per', 'tau.per')}`,
        ),
      ).toBe('');
    },
  );

  test('cannot be given τ in turn by a profile where a layer has a single one', async () => {
    const set = 'train.network.tau={mean: 7, std: 5, values: [2, 12]}';
    expect(await problemsWith('full', 'models=[no-reg]', set)).toBe('');
    expect(await problemsWith('full', 'models=[no-reg, baseline]', set)).toMatch(
      /^--set train\.network\.tau=.*over configs\/models\/baseline\.yaml: neurons of a layer take these τ in turn, but here a layer has a single τ/,
    );
  });

  test('cannot have more layers than the profile’s frames allow', async () => {
    const asked = (set: string) => problemsWith('quick', 'models=[baseline]', set);
    expect(await asked('train.network.layers=6')).toBe(
      `--set train.network.layers=6  "train.network.layers" over configs/models/baseline.yaml: 6 layers halve a frame of 32 x 32 to nothing; at most 5 fit.
  Use fewer layers, or larger frames (\`frames.downsample\`).
  A profile’s \`train:\` overrides all of its models: change it there, or remove this one from \`models:\`.`,
    );
    expect(await asked('train.network.layers=5')).toBe('');
  });

  test('have frames of events, and still images have none', async () => {
    expect(await problemsWith('mnist', 'frames.steps=8')).toBe(
      `--set frames.steps=8  frames.steps: mnist consists of still images, which have no events to make frames of.
  Remove this key: images have limit, and steps with splitBy: rows.`,
    );
    const rows = (steps: number) => [`frames.steps=${steps}`, 'frames.splitBy=rows'];
    expect(await problemsWith('mnist', ...rows(3))).toContain(
      'frames.steps: 3 does not divide the 28 rows of an image of mnist.\n  Use 28: one row a step.',
    );
    expect(await problemsWith('mnist', ...rows(28))).toContain('mnist has rows as steps: docs/networks.md.');
    expect(await problemsWith('mnist', ...rows(28), 'models=[baseline]', 'train.network.layers=0')).toBe('');
    expect(await problemsWith('nmnist', 'frames.splitBy=rows')).toContain(
      'frames.splitBy: rows is for images, but nmnist consists of events.',
    );
    expect(await problemsWith('mnist', 'train.frameOrder=shuffled')).toContain(
      'mnist consists of still images, each a single frame: there is no order to change.',
    );
    const nmnist = project.read('configs/profiles/nmnist.yaml');
    await project.edit('configs/profiles/nmnist.yaml', '  steps: 8\n', '');
    expect(await problemsWith('nmnist')).toContain(
      'frames: steps is missing, but nmnist consists of events.',
    );
    await project.write('configs/profiles/nmnist.yaml', nmnist);
  });

  test('have frames only if the sensor can be divided, as the stage would say later', async () => {
    expect(await problemsWith('nmnist', 'frames.downsample=4')).toBe(
      "--set frames.downsample=4  frames.downsample 4 does not divide the sensor's height of 34 and width of 34.\n  What fits: 1, 2.",
    );
    expect(await problemsWith('nmnist', 'frames.downsample=2', 'train.network.layers=2')).toBe('');
    const file = 'configs/datasets/nmnist.yaml';
    const before = project.read(file);
    await project.edit(file, 'sensor: { width: 34, height: 34 }', 'sensor: { width: 64, height: 1 }');
    const row = await call('run', '--profile', 'nmnist', '--set', 'frames.downsample=4', '--dry-run');
    expect([row.exitCode, row.stdout]).toEqual([2, '']);
    expect(row.stderr).toContain("the sensor's height of 1 and width of 64.\n  What fits: 1.");
    await project.write(file, before);
  });

  test('cannot be trained on folds of users whom nobody knows', async () => {
    const file = 'configs/datasets/nmnist.yaml';
    const before = project.read(file);
    const asked = () => problemsWith('nmnist', 'dataset.folds=5');
    expect(await asked()).toBe(
      `--set dataset.folds=5  dataset.folds: the clips of nmnist have no users.
  Remove it. If names of recordings tell who made them, write {user} in configs/datasets/nmnist.yaml.`,
    );
    expect(await problemsWith('mnist', 'dataset.folds=5')).toContain('the clips of mnist have no users.');
    expect(await problemsWith('full', 'dataset.folds=5')).toBe('');
    await project.edit(file, '{class}/{number}', '{class}/{user}_{number}');
    expect(await asked()).toBe('');
    await project.write(file, before);
  });

  test('can be validated on people only where these are known and held back whole', async () => {
    const users = 'dataset.validation=users';
    expect(await problemsWith('full', users)).toBe('');
    expect(await problemsWith('full', users, 'dataset.folds=5')).toBe('');
    expect(await problemsWith('nmnist', users)).toContain(
      '--set dataset.validation=users  dataset.validation: the clips of nmnist have no users.',
    );
    expect(await problemsWith('full', users, 'train.validationShare=0')).toMatch(
      /"train\.validationShare" over configs\/models\/baseline\.yaml: 0 holds back no whole people, but .*`dataset\.validation: users`/,
    );
    expect(await problemsWith('full', users, 'train.compat.validation=shuffled-drop-last')).toContain(
      '"train.compat.validation" over configs/models/baseline.yaml: shuffled-drop-last holds back no whole people, but',
    );
  });

  test('get the keys of `dataset` that a profile has, and no others', async () => {
    const paramsWith = async (...set: string[]) => {
      const plan = await loadPlan({ projectRoot: project.root, profile: 'quick', set });
      return [...plan.instances.values()].find(({ stage }) => stage === 'train')?.params.dataset;
    };
    expect(await paramsWith()).toBeUndefined();
    expect(await paramsWith('dataset.validation=users')).toEqual({ validation: 'users' });
  });

  test('cannot be split by users whom names do not tell', async () => {
    const file = 'configs/datasets/nmnist.yaml';
    const before = project.read(file);
    await project.edit(file, 'split: { folders: { train: Train, test: Test } }', 'split: { testUsers: [1] }');
    expect(await problemsWith('nmnist')).toContain('has {split}, but split.folders is missing.');
    await project.edit(file, '{split}/{class}', 'Train/{class}');
    expect(await problemsWith('nmnist')).toContain('lacks {user}, but there is split.testUsers.');
    await project.write(file, before);
  });

  test('have learning rates of their own only if they exist', async () => {
    const found = await problemsWith('quick', 'learningRates={lif: 0.01, liv: 0.1}');
    expect(found).toContain('learningRates.liv');
    expect(found).not.toContain('learningRates.lif');
  });

  test('cannot use the first 88 recordings of a data set without a list of them', async () => {
    expect(await problemsWith('nmnist', 'train.compat.trials=first-88')).toContain(
      '"train.compat.trials" over configs/models/baseline.yaml: first-88 refers to the list trials_to_train.txt, and nmnist has no such list.',
    );
  });

  test('stop run, run --dry-run and status with 2, before anything runs', async () => {
    const set = ['--profile', 'full', '--set', 'train.compat.tau_per_neuron=dropped'];
    for (const words of [['run'], ['run', 'verify', '--dry-run'], ['status']]) {
      const { exitCode, stdout, stderr } = await call(...words, ...set);
      expect([exitCode, stdout]).toEqual([2, '']);
      expect(stderr).toContain('over configs/models/lambda-0.01.yaml');
      expect(stderr).toContain('over configs/models/lambda-0.1.yaml');
    }
  });

  test('are not affected by a broken file that the profile does not use', async () => {
    await fs.writeFile(path.join(models(), 'mine.yaml'), '');
    const beside = await call('status');
    expect(beside.exitCode).toBe(0);
    expect(beside.stderr).toBe('');
    expect((await call('metrics')).exitCode).toBe(0);
    const used = await call('status', '--set', 'models=[mine]');
    expect(used.exitCode).toBe(2);
    expect(used.stderr).toContain('configs/models/mine.yaml:1:1  the file is empty.');
  });
});
