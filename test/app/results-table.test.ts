import { expect, test } from 'vitest';
import { tabulateResults } from '../../src/app/run/results-table.ts';
import { planOf } from '../runner/plan/project-fixture.ts';
import { CliProject } from '../runner/rig/cli-project.ts';

/** Reports what a training and an evaluation do, in the files' own words. */
const stage = (metrics: string): string => `import fs from 'node:fs';
export default {
  summary: 'reports',
  async run({ params, matrix, outputs, metrics }) {
    fs.writeFileSync(outputs[0], JSON.stringify(matrix));
    metrics(${metrics});
  },
};
`;

const files = {
  'pipeline.yaml': `version: 1
profiles: {folder: profiles, default: small}
stages:
  train:
    matrix: {model: "\${models}", seed: [1, 2]}
    run: stages/train.mjs
    params: [epochs]
    outputs: ["artifacts/train/\${model}/\${seed}"]
  evaluate:
    matrix: {model: "\${models}", seed: [1, 2]}
    run: stages/evaluate.mjs
    inputs: ["artifacts/train/\${model}/\${seed}"]
    outputs: ["artifacts/evaluate/\${model}/\${seed}"]
`,
  'profiles/small.yaml': 'models: [a, longer]\nepochs: 9\n',
  'stages/train.mjs': stage('{ bestEpoch: params.epochs, testAccuracy: 0.5 }'),
  'stages/evaluate.mjs': stage('{ testAccuracy: matrix.seed === 1 ? 275 / 288 : 1, testClips: 288 }'),
};

const table = (stderr: string): string[] => {
  const lines = stderr.split('\n');
  const from = lines.findIndex((line) => line.startsWith('results of'));
  return from < 0
    ? []
    : lines.slice(from, lines.indexOf('', from)).map((line) => line.replace(/ +[\d.]+ s$/, '  T s'));
};

test('a run ends with a table: accuracy with its interval, epoch and time of each model and seed', async () => {
  const project = await CliProject.create(files);
  const first = await project.call(['run']);
  // Wilson's interval of 275 of 288 clips.
  const results = [
    'results of profile small:',
    expect.stringMatching(/^ {2}model {3}seed {2}test accuracy {4}95 % interval {2}epoch +time$/),
    '  a       1            95.5 %   92.4 to 97.3 %      9  T s',
    '  a       2           100.0 %  98.7 to 100.0 %      9  T s',
    expect.stringMatching(/^ {2}longer {2}1 /),
    expect.stringMatching(/^ {2}longer {2}2 /),
  ];
  expect(table(first.stderr)).toEqual(results);
  // What is up to date is a result, too.
  const second = await project.call(['run']);
  expect(second.stderr).not.toContain('done in');
  expect(table(second.stderr)).toEqual(table(first.stderr));
  const dry = await project.call(['run', '--dry-run']);
  expect(table(dry.stderr)).toEqual([]);
  const trial = await project.call(['run', '--set', 'epochs=3', 'train@a,1']);
  expect(table(trial.stderr)).toEqual([
    'results of profile small with epochs=3:',
    expect.stringContaining('test accuracy'),
    expect.stringMatching(/^ {2}a {6}1 +50\.0 % +3 {2}T s$/),
  ]);
});

test('the time of a model and seed is without stages that its accuracy does not depend on', async () => {
  const own = `
  plot:
    matrix: {model: "\${models}", seed: [1, 2]}
    run: stages/train.mjs
    inputs: ["artifacts/train/\${model}/\${seed}"]
    outputs: ["artifacts/plot/\${model}/\${seed}"]
`;
  const plan = await planOf(files['pipeline.yaml'] + own, {
    'profiles/small.yaml': 'models: [a]\nepochs: 9\n',
    'stages/train.mjs': '',
    'stages/evaluate.mjs': '',
  });
  const made = { train: { bestEpoch: 9 }, evaluate: { testAccuracy: 0.5 }, plot: { testClips: 3 } };
  const results = new Map(
    Object.entries(made).map(([name, metrics]) => [`${name}@a,1`, { metrics, madeInSeconds: 10 }]),
  );
  expect(tabulateResults(plan, results).slice(2)).toEqual([
    '  model  seed  test accuracy  epoch  time',
    '  a      1            50.0 %      9  20 s',
  ]);
});
