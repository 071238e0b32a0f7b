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
export default { summary: 'trains', async run({ params, outputs, metrics }) {
  fs.mkdirSync(outputs[0], { recursive: true });
  fs.writeFileSync(outputs[0] + '/run.json', JSON.stringify({ version: 1, simulated: true, training: params.train }));
  metrics({ finalLoss: 1 / params.train.epochs, ['\\u001b[2Jevil']: params.train.epochs });
} };
`;

const evaluate = `import fs from 'node:fs';
export default { summary: 'evaluates', async run({ inputs, outputs, metrics }) {
  const { training } = JSON.parse(fs.readFileSync(inputs[1] + '/run.json', 'utf8'));
  fs.mkdirSync(outputs[0], { recursive: true });
  const rows = Array.from({ length: 12 }, (_, i) => ['test', i, 'r' + i, i % 3, 'led', 0, i < training.epochs ? 0 : 1].join(','));
  fs.writeFileSync(outputs[0] + '/predictions.csv', 'split,clip,recording,user,light,class,predicted\\n' + rows.join('\\n') + '\\n');
  metrics({ testAccuracy: training.epochs / 12 });
} };
`;

let project: CliProject;

beforeAll(async () => {
  project = await CliProject.createForFile({
    'pipeline.yaml': pipeline,
    'configs/profiles/small.yaml':
      'models: [baseline]\nseeds: [1, 2]\ntrain: {epochs: 2}\nrecordings: a\nsteps: 8\nchecks: few\n',
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

    const { pairs, differences } = await project.json([
      ...['compare', first.slice(0, 12), 'last', '--only', 'baseline,1'],
    ]);
    expect(pairs).toMatchObject([
      {
        a: { model: 'baseline', seed: '1', stages: { evaluate: { fingerprint: first } } },
        settings: [{ name: 'train.epochs', a: '2', b: '9' }],
      },
    ]);
    // B alone has clips 2 to 8 right, of each of three users two or three of four.
    expect(differences).toMatchObject([
      {
        networks: ['baseline,1'],
        measured: { difference: expect.closeTo(7 / 12, 12), design: 'three users, for these trainings' },
      },
    ]);
    expect(pairs[0].metrics).toContainEqual({ name: 'train.finalLoss', a: 0.5, b: 1 / 9 });

    const text = (await call('compare', '1', '2', '--set', 'train.epochs=9')).stdout;
    expect(text).toContain('Simulated data: these results say nothing about the thesis.');
    expect(text).toContain('baseline,1 → baseline,2: B - A 0.0 points over three users');
    expect(text).toMatch(/train began +\d{4}-/);

    // A name of a metric cannot act on the terminal.
    const changed = (await call('compare', first.slice(0, 12), 'last')).stdout;
    const { stdout: measured } = await call('metrics');
    for (const shown of [changed, measured]) {
      expect(shown).toContain('evil');
      expect(shown).not.toContain('\u001b');
    }
  });

  test('finds runs by the fingerprint of a training, and by a time; names those without a counterpart', async () => {
    const [, training = ''] = await fingerprintsOf('train', 1);
    const { pairs, differences, onlyB } = await project.json([
      'compare',
      training.slice(0, 12),
      '2999-01-01',
    ]);
    expect(pairs).toMatchObject([{ a: { seed: '2', stages: { train: { fingerprint: training } } } }]);
    expect(differences).toMatchObject([{ measured: { difference: expect.closeTo(7 / 12, 12) } }]);
    expect(onlyB).toMatchObject([{ model: 'baseline', seed: '1' }]);
  });

  test.each([
    ['steps=9', 'checks=many', true],
    ['recordings=b', 'steps=8', false],
  ])('pairs clips with --set %s and %s: %s', async (first, second, paired) => {
    const settings = ['--set', first, '--set', second];
    expect((await call('run', 'evaluate@baseline,1', ...settings)).exitCode).toBe(0);
    const earliest = (await fingerprintsOf('evaluate', 0)).at(-1) ?? '';
    const { stdout } = await call('compare', earliest.slice(0, 12), 'baseline,1', ...settings);
    expect(stdout.includes('baseline,1: B - A ')).toBe(paired);
    expect(stdout.includes('tested on different recordings')).toBe(!paired);
  });

  test('compares what is measured when the store has lost the files, and says what it cannot', async () => {
    const [, old = ''] = await fingerprintsOf('evaluate', 1);
    await project.remove('artifacts/.cache/store/files');
    const { stdout, exitCode } = await call('compare', old.slice(0, 12), 'last', '--only', 'baseline,2');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/evaluate\.testAccuracy +0\.1667 +0\.75 +\+0\.5833/);
    expect(stdout).toContain('run.json of a training is no longer kept');
    expect(stdout).toContain('the answers of a run are no longer kept');
  });
});
