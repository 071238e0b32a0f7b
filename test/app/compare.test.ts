import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CliProject } from '../runner/rig/cli-project.ts';

/** Made-up trainings: the more epochs, the more of twelve clips are right. */
const pipeline = `version: 1
profiles: {folder: configs/profiles, default: small}
stages:
  simulate: {run: stages/copy.mjs, params: [recordings], outputs: [artifacts/data]}
  verify: {run: stages/copy.mjs, params: [checks], inputs: [artifacts/data], outputs: [artifacts/verify]}
  frames: {run: stages/copy.mjs, params: [steps], inputs: [artifacts/verify, artifacts/data], outputs: [artifacts/frames]}
  train:
    matrix: {model: "\${models}", seed: "\${seeds}"}
    run: stages/train.mjs
    params: [train]
    inputs: []
    outputs: ["artifacts/train/\${model}/\${seed}"]
  evaluate:
    matrix: {model: "\${models}", seed: "\${seeds}"}
    run: stages/evaluate.mjs
    inputs: [artifacts/frames, "artifacts/train/\${model}/\${seed}"]
    outputs: ["artifacts/evaluate/\${model}/\${seed}"]
`;

/** Stands for the stages before the training: its output depends on its settings and inputs. */
const copy = `import fs from 'node:fs';
export default { summary: 'makes data', async run({ params, inputs, outputs }) {
  fs.mkdirSync(outputs[0], { recursive: true });
  const before = Object.values(inputs).map((input) => fs.readFileSync(input + '/content', 'utf8'));
  fs.writeFileSync(outputs[0] + '/content', JSON.stringify([params, before]));
} };
`;

const train = `import fs from 'node:fs';
export default { summary: 'trains', async run({ params, matrix, outputs, metrics }) {
  fs.mkdirSync(outputs[0], { recursive: true });
  const epochs = params.train.epochs + (matrix.model === 'better' ? 2 + matrix.seed : 0);
  fs.writeFileSync(outputs[0] + '/run.json', JSON.stringify({ version: 1, simulated: true, training: params.train, right: epochs }));
  metrics({ finalLoss: 1 / params.train.epochs, ['\\u001b[2Jevil']: params.train.epochs });
} };
`;

const evaluate = `import fs from 'node:fs';
export default { summary: 'evaluates', async run({ inputs, outputs, metrics }) {
  const { right } = JSON.parse(fs.readFileSync(inputs[1] + '/run.json', 'utf8'));
  fs.mkdirSync(outputs[0], { recursive: true });
  const rows = Array.from({ length: 12 }, (_, i) => ['test', i, 'r' + i, i % 3, 'led', 0, i < right ? 0 : 1].join(','));
  fs.writeFileSync(outputs[0] + '/predictions.csv', 'split,clip,recording,user,light,class,predicted\\n' + rows.join('\\n') + '\\n');
  metrics({ testAccuracy: right / 12 });
} };
`;

let project: CliProject;

beforeAll(async () => {
  project = await CliProject.createForFile({
    'pipeline.yaml': pipeline,
    'configs/profiles/small.yaml':
      'models: [baseline, better]\nseeds: [1, 2]\ntrain: {epochs: 2}\nrecordings: a\nsteps: 8\nchecks: few\n',
    'stages/copy.mjs': copy,
    'stages/train.mjs': train,
    'stages/evaluate.mjs': evaluate,
  });
});

afterAll(() => project.remove('.'));

const call = (...words: readonly string[]) => project.call(words);

/** The fingerprints of the runs on record of one of two instances, the latest first. */
async function fingerprintsOf(stage: string, instance: 0 | 1): Promise<string[]> {
  const { instances } = await project.json(['explain', stage, '--list']);
  return instances[instance].runs.map((run: { fingerprint: string }) => run.fingerprint);
}

describe('repro compare', () => {
  test('says so if nothing is on record', async () => {
    await project.expectFailure(['compare', 'baseline', 'last'], 2, './repro run evaluate');
  });

  test('compares an earlier run, whose outputs are only in the store, with the last', async () => {
    expect((await call('run')).stderr).not.toContain('failed');
    const [first = ''] = await fingerprintsOf('evaluate', 0);
    expect((await call('run', '--set', 'train.epochs=9')).exitCode).toBe(0);

    const { settings, differences } = await project.json([
      ...['compare', first.slice(0, 12), 'last', '--only', 'baseline,1'],
    ]);
    expect(settings).toEqual([{ name: 'train.epochs', a: ['2'], b: ['9'] }]);
    // B alone has clips 2 to 8 right, of each of three users two or three of four.
    expect(differences).toMatchObject([
      {
        ...{ networks: ['baseline,1'], problem: null },
        measured: { difference: expect.closeTo(7 / 12, 12), design: 'three users, for these trainings' },
      },
    ]);

    const text = (await call('compare', '1', '2', '--set', 'train.epochs=9')).stdout;
    expect(text).toContain('Simulated data');
    expect(text).toContain('baseline,1 → baseline,2: 0.0\u00a0points (no interval) over three users');

    // A name of a metric cannot act on the terminal.
    const { stdout: measured } = await call('metrics');
    expect(measured).toContain('evil');
    expect(measured).not.toContain('\u001b');
  });

  test('measures two models over all seeds, with an interval', async () => {
    const { differences } = await project.json(['compare', 'baseline', 'better', '--set', 'train.epochs=2']);
    // 3 more of twelve with seed 1, 4 with seed 2.
    expect(differences).toMatchObject([
      {
        networks: ['baseline,1 → better,1', 'baseline,2 → better,2'],
        measured: {
          ...{ difference: expect.closeTo(7 / 24, 12), design: 'two seeds and three users' },
          certainty: { p: expect.any(Number) },
        },
      },
    ]);
    const { stdout } = await call('compare', '1', '2');
    expect(stdout).toContain('baseline,1 → baseline,2');
    expect(stdout).toContain('for 2 differences (Holm)');
  });

  test('finds runs by the fingerprint of a training, and by a time; names those without a counterpart', async () => {
    const [, training = ''] = await fingerprintsOf('train', 1);
    const found = await project.json(['compare', training.slice(0, 12), '2999-01-01']);
    expect(found).toMatchObject({
      differences: [{ networks: ['baseline,2'], measured: { difference: expect.closeTo(7 / 12, 12) } }],
      ...{ onlyA: [], onlyB: ['baseline,1', 'better,1', 'better,2'] },
    });
  });

  test.each([
    ['steps=9', 'checks=many', true],
    ['recordings=b', 'steps=8', false],
  ])('pairs clips with --set %s and %s: %s', async (first, second, paired) => {
    const settings = ['--set', first, '--set', second];
    expect((await call('run', 'evaluate@baseline,1', ...settings)).exitCode).toBe(0);
    const earliest = (await fingerprintsOf('evaluate', 0)).at(-1) ?? '';
    const { stdout } = await call('compare', earliest.slice(0, 12), 'baseline,1', ...settings);
    expect(stdout.includes('different recordings')).toBe(!paired);
  });

  test('says what it cannot compare when the store has lost the files', async () => {
    const [, old = ''] = await fingerprintsOf('evaluate', 1);
    await project.remove('artifacts/.cache/store/files');
    const { stdout, exitCode } = await call('compare', old.slice(0, 12), 'last', '--only', 'baseline,2');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('run.json of a training is no longer kept');
    expect(stdout).toContain('the answers of a run are no longer kept');
  });
});
