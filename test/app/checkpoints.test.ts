import fs from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acquireLock } from '../../src/base/files/lock.ts';
import { readSafetensors, writeSafetensors } from '../../src/formats/safetensors.ts';
import { formatRun } from '../../src/results/run-file.ts';
import { writeFrameCache } from '../exchange/checkpoints/frames-of-fixture.ts';
import { exampleRunFile } from '../results/examples.ts';
import { CliProject } from '../runner/rig/cli-project.ts';
import { torchFixturePath } from '../support/torch-file.ts';

/** `frames` copies an existing cache; a training copies a state. */
const pipeline = `version: 1
profiles: {folder: configs/profiles, default: small}
stages:
  frames:
    cmd: [node, tools/frames.mjs]
    inputs: [{path: cache, external: true}]
    outputs: [artifacts/frames]
  train:
    matrix: {model: "\${models}", seed: "\${seeds}"}
    cmd: [node, tools/train.mjs]
    inputs: [artifacts/frames]
    outputs: ["artifacts/train/\${model}/\${seed}"]
`;

const framesTool = `import fs from 'node:fs';
fs.cpSync('cache', process.env.REPRO_OUTPUT_0, { recursive: true });
`;

const trainTool = `import fs from 'node:fs';
const folder = process.env.REPRO_OUTPUT_0;
fs.mkdirSync(folder, { recursive: true });
fs.copyFileSync('bare.safetensors', folder + '/best.safetensors');
const network = JSON.parse(fs.readFileSync('network.json', 'utf8'));
const run = { ...JSON.parse(fs.readFileSync('tools/run.json', 'utf8')), network };
fs.writeFileSync(folder + '/run.json', JSON.stringify(run));
`;

let project: CliProject;

beforeAll(async () => {
  const run = exampleRunFile({
    model: { id: 'baseline', title: 'Baseline' },
    frames: { ...exampleRunFile().frames, steps: 6, downsample: 8 },
    best: { epoch: 3, validationAccuracy: 0.5, testAccuracy: 0.5 },
  });
  project = await CliProject.createForFile({
    'pipeline.yaml': pipeline,
    'configs/profiles/small.yaml': 'models: [baseline]\nseeds: [2020, 2021]\nevaluate: {batchSize: 2}\n',
    'tools/frames.mjs': framesTool,
    'tools/train.mjs': trainTool,
    'tools/run.json': formatRun(run),
  });
  await writeFrameCache(project.at('cache'));
  const imported = await call(
    'import',
    torchFixturePath('baseline.pt'),
    '--out',
    'imported.safetensors',
    '--json',
  );
  await project.write('network.json', JSON.stringify(JSON.parse(imported.stdout).network));
  // A training's states do not describe themselves as an imported one does.
  const { tensors } = readSafetensors(await fs.readFile(project.at('imported.safetensors')));
  await fs.writeFile(project.at('bare.safetensors'), writeSafetensors(tensors));
});

afterAll(() => project.remove('.'));

const call = (...words: readonly string[]) => project.call(words);

const expectRefused = (words: readonly string[], text: string) => project.expectFailure(words, 2, text);

describe('repro import', () => {
  test('prints what it found and what it assumed', async () => {
    const { stdout, exitCode } = await call(
      'import',
      torchFixturePath('baseline-state.pt'),
      '--out',
      'state.safetensors',
      '--reset',
      'soft',
    );
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').map((line) => line.replace(/ +/g, ' '))).toEqual([
      'file a state_dict (tensors without modules), zip format',
      'network event frames 2 x 16 x 16; 2 layers of 4 channels, max pooling, 16 hidden, 3 classes',
      expect.stringMatching(/^neurons PLIF, one τ per layer, now .* steps; threshold 1, soft reset$/),
      'assumed frames of 16 x 16; 16 to 19 pixels would fit (change it with ./repro import --input)',
      'assumed threshold 1, as in the thesis',
      'assumed pooling max, as in the thesis (change it with ./repro import --pooling)',
      'written state.safetensors',
    ]);
  });

  test('prints one JSON document with --json', async () => {
    const { stdout } = await call(
      'import',
      torchFixturePath('per-neuron.pt'),
      '--out',
      'neurons.safetensors',
      '--json',
    );
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      command: 'import',
      file: 'neurons.safetensors',
      network: { tau: { per: 'neuron' } },
      assumed: [],
    });
  });
});

describe('repro evaluate', () => {
  test('brings the frames up to date, and prints how the network does on them', async () => {
    const { stdout, stderr, exitCode } = await call('evaluate', 'imported.safetensors');
    expect(exitCode).toBe(0);
    expect(stderr).toContain('frames  done');
    expect(stderr).toContain('! Not in the checkpoint: frames of 16 x 16');
    expect(stdout.split('\n').slice(0, 4)).toEqual([
      'state      imported from baseline.pt',
      'clips      3 test clips of dvs128-gesture, 6 frames each',
      'simulated  these recordings are simulated: the figures say nothing about real ones',
      'accuracy   2 of 3, 66.7 %; 95 % Wilson interval 20.8 to 93.9 %',
    ]);
  });

  test('works beside a run, as long as the frames are up to date', async () => {
    await call('evaluate', 'imported.safetensors');
    const lock = await acquireLock(project.at('artifacts/.cache/lock'));
    try {
      expect((await call('evaluate', 'imported.safetensors')).exitCode).toBe(0);
      await project.remove('artifacts/frames');
      const refusal = ['another run holds this folder', 'second working tree'];
      await project.expectFailure(['evaluate', 'imported.safetensors'], 75, ...refusal);
    } finally {
      await lock.release();
    }
  });

  test('prints one JSON document with --json, and accepts a .pt file as it is', async () => {
    const { stdout } = await call('evaluate', torchFixturePath('baseline.pt'), '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      command: 'evaluate',
      profile: 'small',
      source: 'baseline.pt',
      clips: 3,
      correct: 2,
      simulated: true,
      engine: { name: expect.stringMatching(/^(native|wasm)$/) },
    });
  });
});

describe('repro evaluate of a training', () => {
  beforeAll(async () => {
    const network = JSON.parse(project.read('network.json'));
    const frames = { ...exampleRunFile().frames, steps: 6, downsample: 8, normalization: 'max' } as const;
    await fs.mkdir(project.at('a b'));
    await fs.cp(project.at('bare.safetensors'), project.at('a b/best.safetensors'));
    await fs.writeFile(project.at('a b/run.json'), formatRun(exampleRunFile({ frames, network })));
  });

  test('refuses frames made differently, with the settings to add', async () => {
    const { stdout, stderr, exitCode } = await call('evaluate', 'a b', '--json');
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain('frames.normalization: max in its training, none here');
    expect(stderr).toContain('Add --set frames.normalization=max\n');
  });
});

describe('repro export', () => {
  test('accepts a stage instance, says whether it is up to date, and never overwrites', async () => {
    const words = ['export', 'state', 'train@baseline,2020', '--to', 'npz'];
    await expectRefused([...words, '--profile', 'small'], './repro run train@baseline,2020 --profile small');
    await call('run', 'train');
    const first = await call(...words);
    expect([first.exitCode, first.stderr]).toEqual([0, '']);
    expect(first.stdout).toMatch(
      /^baseline-2020-best\.npz: 18 tensors, .*; baseline, seed 2020, best epoch 4$/,
    );
    await expectRefused(words, '--force');
    await fs.appendFile(project.at('cache/clips.json'), ' ');
    const stale = await call('export', 'state', 'train@baseline,2020', '--to', 'safetensors', '--json');
    expect(stale.stderr).toContain('! train@baseline,2020 is not up to date');
    expect(JSON.parse(stale.stdout)).toMatchObject({ command: 'export state', tensors: 18 });
    expect((await call('evaluate', 'baseline-2020-best.safetensors')).stdout).toContain('2 of 3');
  });

  test('refuses a training that was altered, and so does evaluate', async () => {
    await call('run', 'train');
    await fs.appendFile(project.at('artifacts/train/baseline/2020/best.safetensors'), 'x');
    for (const words of [
      ['export', 'state', 'train@baseline,2020', '--to', 'npz', '--force'],
      ['evaluate', 'train@baseline,2020'],
    ])
      await expectRefused(words, 'Restore it: ./repro run train@baseline,2020');
  });

  test('writes a NIR graph, which can be evaluated', async () => {
    expect((await call('export', 'state', 'imported.safetensors', '--to', 'nir')).stdout).toMatch(
      /imported\.nir: 16 nodes, /,
    );
    expect(JSON.parse((await call('evaluate', 'imported.nir', '--json')).stdout)).toMatchObject({
      correct: 2,
    });
  });

  test('refuses an empty name, and one with another extension than the format’s', async () => {
    await expectRefused(
      ['export', 'state', 'imported.safetensors', '--to', 'npz', '--out', ''],
      'expected a name.',
    );
    await expectRefused(['import', 'x.pt', '--out='], 'expected a name.');
    for (const [format, out] of [
      ['npz', 'x.safetensors'],
      ['safetensors', 'x.NPZ'],
      ['safetensors', 'x.txt'],
    ] as const) {
      await expectRefused(
        ['export', 'state', 'imported.safetensors', '--to', format, '--out', out],
        `a ${format} file needs a name that ends in .${format}.`,
      );
    }
    expect(
      (await call('export', 'state', 'imported.safetensors', '--to', 'npz', '--out', 'x.npz')).stderr,
    ).toBe('');
    expect(project.has('x.NPZ')).toBe(false);
  });

  test('refuses to write among the outputs of stages', async () => {
    await call('run', 'train');
    const output = 'artifacts/train/baseline/2020';
    for (const out of [`${output}/x.npz`, 'artifacts/new/x.npz']) {
      await expectRefused(
        ['export', 'state', 'imported.safetensors', '--to', 'npz', '--out', out],
        `${out}  artifacts/ is reserved for outputs of stages`,
      );
    }
    await expectRefused(
      ['import', torchFixturePath('baseline.pt'), '--out', `${output}/x.safetensors`],
      'Choose another place',
    );
    expect((await call('status', 'train@baseline,2020', '--json')).stdout).toContain('"fresh"');
  });

  test('refuses more than one instance, or none', async () => {
    expect((await call('export', 'state', 'train@baseline', '--to', 'npz')).stderr).toContain(
      'train@baseline,2020, train@baseline,2021',
    );
    const unknown = await call('export', 'state', 'train@mine,2020', '--to', 'npz');
    expect(unknown.stderr).toContain('has no instance');
    expect(unknown.stderr).toContain(
      'This looks in profile "small". If the training was run with other settings, repeat them here (--profile, --set \'models=[…]\'), or name its folder.',
    );
    for (const path of ['nowhere', 'me@home/nowhere', 'me@home.safetensors']) {
      expect((await call('export', 'state', path, '--to', 'npz')).stderr).toContain('no such file or folder');
    }
  });
});
