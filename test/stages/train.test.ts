import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { csvParse } from 'd3-dsv';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadCheckpoint } from '../../src/exchange/checkpoints/loaded-checkpoint.ts';
import { encodeNpy } from '../../src/formats/npy.ts';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import { decodeEventFile } from '../../src/formats/tfevents.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { stateEntries } from '../../src/network/spec.ts';
import { TorchRandom } from '../../src/network/torch-random.ts';
import { COMPAT_DEFAULTS } from '../../src/results/thesis/compat.ts';
import type { MetricValue, Progress, StageContext } from '../../src/runner/stage/define-stage.ts';
import evaluate from '../../stages/evaluate.ts';
import train from '../../stages/train.ts';
import { sharedTemporaryFolder } from '../support/temporary-folder.ts';

const root = sharedTemporaryFolder();
let frames: string;
const modelFile = join(import.meta.dirname, '../../configs/models/no-reg.yaml');
const params = {
  train: {
    engine: 'auto' as const,
    epochs: 2,
    batchSize: 8,
    network: { channels: 2, layers: 2, hidden: 8, votes: 2 },
  },
};

beforeAll(async () => {
  frames = join(root, 'frames');
  await mkdir(frames);
  const random = new TorchRandom(1);
  const split = async (name: string, clips: number) => {
    const shape = [clips, 3, 2, 8, 8];
    const data = Uint8Array.from({ length: clips * 3 * 2 * 64 }, () => Math.floor(random.uniform() * 3));
    await writeFile(join(frames, `${name}.npy`), encodeNpy({ dtype: 'uint8', shape, data }));
    return Array.from({ length: clips }, (_, row) => ({
      recording: `user0${row}_led.aedat`,
      user: row,
      light: 'led',
      trial: 70 + row,
      class: row % 3,
      startUs: 0,
      endUs: 1000,
      events: 99,
    }));
  };
  const clips = {
    version: 1,
    dataset: 'dvs128-gesture',
    simulated: true,
    classes: ['clap', 'wave', 'roll'],
    sensor: { height: 128, width: 128 },
    frames: {
      steps: 3,
      splitBy: 'number',
      downsample: 16,
      height: 8,
      width: 8,
      dtype: 'uint8',
      normalization: null,
    },
    splits: { train: await split('train', 24), test: await split('test', 9) },
  };
  await writeFile(join(frames, 'clips.json'), JSON.stringify(clips));
});

/** Trainings print one line per epoch for their log. */
beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

interface Heard {
  progress: Progress[];
  metrics: Record<string, MetricValue>;
  warnings: string[];
}

function contextOf<P>(
  over: Partial<StageContext<P>> & Pick<StageContext<P>, 'params' | 'inputs' | 'outputs'>,
): {
  context: StageContext<P>;
  heard: Heard;
} {
  const heard: Heard = { progress: [], metrics: {}, warnings: [] };
  const context = {
    matrix: { model: 'no-reg', seed: 2020 },
    facts: {},
    resume: [],
    cpus: 1,
    signal: new AbortController().signal,
    progress: (progress: Progress) => heard.progress.push(progress),
    metrics: (values: Readonly<Record<string, MetricValue>>) => Object.assign(heard.metrics, values),
    note: () => {},
    warn: (text: string) => heard.warnings.push(text),
    ...over,
  };
  return { context, heard };
}

async function trainInto(
  name: string,
  resume: string[] = [],
  signal = new AbortController().signal,
  over: Record<string, unknown> = {},
): Promise<Heard> {
  const { context, heard } = contextOf({
    params: { train: { ...params.train, ...over } },
    inputs: { frames, model: modelFile },
    outputs: [join(root, name)],
    resume,
    signal,
  });
  await train.run(context);
  return heard;
}

const json = async (...path: string[]) => JSON.parse(await readFile(join(root, ...path), 'utf8'));

describe('the stages train and evaluate', () => {
  it('write the files that the report reads, with the same bytes every time', async () => {
    const heard = await trainInto('trained');
    expect((await readdir(join(root, 'trained'))).sort()).toEqual([
      'best.safetensors',
      'first-batches.csv',
      'last.safetensors',
      'metrics.csv',
      'run.json',
      'split.json',
      'tensorboard',
    ]);
    const run = await json('trained', 'run.json');
    expect(run).toMatchObject({
      version: 1,
      model: { id: 'no-reg', title: 'No Reg.' },
      seed: 2020,
      dataset: 'dvs128-gesture',
      simulated: true,
      engine: { name: expect.stringMatching(/^(native|wasm)$/) },
      network: { input: [2, 8, 8], classes: 3, channels: 2, tau: { per: 'neuron', mean: 2, std: 0.1 } },
      training: { epochs: 2, batchSize: 8, learningRate: 0.001, cosineHalfPeriod: 64, regulariseTau: 0 },
      compat: COMPAT_DEFAULTS,
      split: { train: 21, validation: 3, test: 9 },
    });
    const { tensors } = readSafetensors(await readFile(join(root, 'trained', 'best.safetensors')));
    const entries = stateEntries(buildNetwork(run.network));
    expect(new Set(tensors.keys())).toEqual(new Set(entries.map(({ name }) => name)));
    expect(run.parameters).toBe(
      entries
        .filter(({ role }) => role === 'parameter')
        .reduce((sum, { name }) => sum + tensors.get(name)!.data.length, 0),
    );
    expect(await json('trained', 'split.json')).toMatchObject({ version: 1, validation: [21, 22, 23] });
    expect(heard.metrics).toMatchObject({ bestEpoch: run.best.epoch + 1, compat: 'none' });
    expect(heard.warnings).toEqual([]);

    await trainInto('again');
    const files = await readdir(join(root, 'trained'), { recursive: true, withFileTypes: true });
    const names = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
    expect(names).toHaveLength(7);
    for (const file of names.map((name) => relative(join(root, 'trained'), name))) {
      const [one, other] = await Promise.all(
        ['trained', 'again'].map((name) => readFile(join(root, name, file))),
      );
      expect(one!.equals(other!), file).toBe(true);
    }
  });

  it('agree on the chosen epoch: evaluation reproduces the training’s values', async () => {
    const { context, heard } = contextOf({
      params: { evaluate: { batchSize: 4, orders: ['mean', 'reversed'] as const } },
      inputs: { frames, trained: join(root, 'trained') },
      outputs: [join(root, 'evaluated')],
    });
    await evaluate.run(context);
    const evaluation = await json('evaluated', 'evaluation.json');
    const run = await json('trained', 'run.json');
    expect(evaluation).toMatchObject({
      version: 2,
      model: 'no-reg',
      title: 'No Reg.',
      seed: 2020,
      classes: ['clap', 'wave', 'roll'],
      checkpoint: { selection: 'validation', epoch: run.best.epoch },
      maximum: run.maximum,
    });
    expect(evaluation.test.accuracy).toBe(run.best.testAccuracy);
    expect(evaluation.validation).toMatchObject({ clips: 3, accuracy: run.best.validationAccuracy });
    const rows = csvParse(await readFile(join(root, 'trained', 'metrics.csv'), 'utf8'));
    expect(evaluation.test.loss).toBeCloseTo(Number(rows[run.best.epoch]!.test_loss), 6);
    const { denseOperations, effectiveMacs, effectiveAcs } = evaluation.cost;
    expect(effectiveMacs).toBeGreaterThan(0);
    expect(effectiveMacs + effectiveAcs).toBeLessThanOrEqual(denseOperations);
    expect(heard.metrics).toMatchObject(evaluation.cost);
    const confusion: number[][] = evaluation.confusion;
    expect(confusion.map((row) => row.reduce((a, b) => a + b))).toEqual([3, 3, 3]);
    expect(confusion.reduce((sum, row, i) => sum + row[i]!, 0)).toBe(evaluation.test.correct);

    expect(evaluation.correctByStep).toHaveLength(3);
    expect(evaluation.correctByStep.at(-1)).toBe(evaluation.test.correct);
    expect(Object.keys(evaluation.orders)).toEqual(['mean', 'reversed']);
    expect(evaluation.orders.reversed).toMatchObject({ clips: 9 });
    expect(heard.metrics).toMatchObject({
      'testAccuracy.mean': evaluation.orders.mean.accuracy,
      'testAccuracy.reversed': evaluation.orders.reversed.accuracy,
    });

    const predictions = csvParse(await readFile(join(root, 'evaluated', 'predictions.csv'), 'utf8'));
    expect(predictions.map(({ split, clip }) => `${split} ${clip}`)).toEqual([
      ...Array.from({ length: 9 }, (_, i) => `test ${i}`),
      'validation 21',
      'validation 22',
      'validation 23',
    ]);
    expect(predictions.filter((row) => row.split === 'test' && row.class === row.predicted)).toHaveLength(
      evaluation.test.correct,
    );
    // The last row of the training’s table has the mean of the distribution after the last epoch.
    const taus = csvParse(await readFile(join(root, 'evaluated', 'tau.csv'), 'utf8'));
    const layers = evaluation.spikeRates.test.length;
    for (let layer = 0; layer < layers; layer++) {
      const last = taus.filter((row) => row.state === 'last' && row.layer === String(layer));
      expect(last).toHaveLength(101);
      const median = Number(last[50]!.tau);
      const [mean, std] = [`tau_mean.${layer}`, `tau_std.${layer}`].map((name) => Number(rows.at(-1)![name]));
      expect(Math.abs(median - mean!)).toBeLessThan(std!);
    }
    expect(taus).toHaveLength(2 * layers * 101);
    for (const rate of [...evaluation.spikeRates.test, ...evaluation.spikeRates.validation]) {
      expect(rate >= 0 && rate <= 1).toBe(true);
    }
    expect(heard.progress.map(({ done }) => done)).toEqual([4, 8, 9, 12, 16, 20, 21, 25, 29, 30]);
    expect(heard.progress.at(-1)).toEqual({ done: 30, total: 30, unit: 'clips' });
  });

  it('evaluate the network with its τ changed, beside everything else as without', async () => {
    const { context, heard } = contextOf({
      params: {
        evaluate: {
          ...{ batchSize: 4, orders: ['mean', 'reversed'] as const },
          tau: ['layer-mean', 'jittered'] as const,
        },
      },
      inputs: { frames, trained: join(root, 'trained') },
      outputs: [join(root, 'evaluated-taus')],
    });
    await evaluate.run(context);
    const { tau, ...rest } = await json('evaluated-taus', 'evaluation.json');
    expect(rest).toEqual(await json('evaluated', 'evaluation.json'));
    expect(Object.keys(tau)).toEqual(['unchanged', 'layer-mean', 'jittered']);
    const { wrong, ...asTrained } = tau.unchanged.asTrained;
    expect(asTrained).toEqual(rest.test);
    const predictions = csvParse(await readFile(join(root, 'evaluated-taus', 'predictions.csv'), 'utf8'));
    expect(wrong.map(String)).toEqual(
      predictions
        .filter((row) => row.split === 'test' && row.class !== row.predicted)
        .map(({ clip }) => clip),
    );
    expect(heard.metrics).toMatchObject({
      'testAccuracy.tau.unchanged': tau.unchanged.again.accuracy,
      'testAccuracy.tau.layer-mean': tau['layer-mean'].again.accuracy,
    });
    // Each of the three states: nine test clips twice, two batches of eight training clips once.
    expect(heard.progress.at(-1)).toEqual({ done: 102, total: 102, unit: 'clips' });
  });

  it('report the switches in force wherever that matters', async () => {
    const compat = {
      trials: 'first-88',
      validation: 'shuffled-drop-last',
      selection: 'best-test',
      tau_init: 'paper',
    };
    // Without effect, because the profile sets the batch size.
    const own = { batchSize: 4, validationShare: 0.34, compat: { ...compat, batch_size: 'documented' } };
    const heard = await trainInto('switched', [], undefined, own);
    expect(heard.metrics.compat).toBe(
      'trials=first-88, tau_init=paper, validation=shuffled-drop-last, selection=best-test',
    );
    const run = await json('switched', 'run.json');
    expect(run).toMatchObject({
      compat: { ...COMPAT_DEFAULTS, ...compat },
      network: { tau: { start: 'paper' } },
      training: { batchSize: 4 },
      split: { train: 12, validation: 6, test: 9 }, // 18 clips come from the first 88 recordings
      best: { testAccuracy: run.maximum.test.accuracy, epoch: run.maximum.test.epoch },
    });
    const split = await json('switched', 'split.json');
    expect(Math.max(...split.train, ...split.validation)).toBe(17);
    expect(split.rule).toContain('only those of the first 88 recordings');

    const { context } = contextOf({
      params: {},
      inputs: { frames, trained: join(root, 'switched') },
      outputs: [join(root, 'switched-evaluated')],
    });
    await evaluate.run(context);
    expect((await json('switched-evaluated', 'evaluation.json')).checkpoint).toEqual({
      selection: 'best-test',
      epoch: run.best.epoch,
    });
  });

  it('hold nothing back with a share of 0: the last epoch is evaluated on the test clips only', async () => {
    await trainInto('unheld', [], undefined, { validationShare: 0 });
    const run = await json('unheld', 'run.json');
    expect(run).toMatchObject({
      training: { validationShare: 0 },
      compat: { selection: 'last' },
      split: { train: 24, validation: 0, test: 9 },
      best: { epoch: 1, validationAccuracy: null },
      maximum: { validation: null },
    });
    const { context, heard } = contextOf({
      params: {},
      inputs: { frames, trained: join(root, 'unheld') },
      outputs: [join(root, 'unheld-evaluated')],
    });
    await evaluate.run(context);
    expect(await json('unheld-evaluated', 'evaluation.json')).toMatchObject({
      checkpoint: { selection: 'last', epoch: 1 },
      test: { clips: 9, accuracy: run.best.testAccuracy },
      validation: null,
      spikeRates: { validation: null },
      maximum: { validation: null },
    });
    expect(heard.metrics.validationAccuracy).toBeNull();
    const predictions = csvParse(await readFile(join(root, 'unheld-evaluated', 'predictions.csv'), 'utf8'));
    expect(new Set(predictions.map((row) => row.split))).toEqual(new Set(['test']));
  });

  it('write the curves for TensorBoard, without clock times', async () => {
    const [name] = await readdir(join(root, 'trained', 'tensorboard'));
    expect(name).toBe('events.out.tfevents.0.repro');
    const bytes = await readFile(join(root, 'trained', 'tensorboard', name!));
    const { scalars } = decodeEventFile(bytes, name!);
    const rows = csvParse(await readFile(join(root, 'trained', 'metrics.csv'), 'utf8'));
    const tested = scalars.filter(({ tag }) => tag === 'test_accuracy');
    expect(tested.map(({ step, wallTimeSeconds }) => [step, wallTimeSeconds])).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(tested.map(({ value }) => value)).toEqual(
      rows.map(({ test_accuracy: accuracy }) => Math.fround(Number(accuracy))),
    );
    // 21 clips make two batches of 8 per epoch.
    expect(scalars.filter(({ tag }) => tag === 'w0').map(({ step }) => step)).toEqual([2, 4]);
    expect(scalars.filter(({ tag }) => tag === 'train_loss').map(({ step }) => step)).toEqual([0]);
  });

  it('stop an evaluation on an abort, and leave nothing behind', async () => {
    const { context } = contextOf({
      params: {},
      inputs: { frames, trained: join(root, 'trained') },
      outputs: [join(root, 'stopped')],
      signal: AbortSignal.abort(),
    });
    await expect(evaluate.run(context)).rejects.toMatchObject({ code: 'evaluation-interrupted' });
    expect(await readdir(root)).not.toContain('stopped');
  });

  it('resume after an abort and end with the same bytes', async () => {
    const resume = join(root, 'resume');
    await mkdir(resume);
    const controller = new AbortController();
    controller.abort();
    await expect(trainInto('aborted', [resume], controller.signal)).rejects.toMatchObject({
      code: 'training-interrupted',
    });
    expect(await readdir(root)).not.toContain('aborted');
    await trainInto('resumed', [resume]);
    const read = (name: string) => readFile(join(root, name, 'last.safetensors'), 'hex');
    expect(await read('resumed')).toBe(await read('trained'));
  });
});

describe('with folds of users', () => {
  /** Users 0 to 8 have a test clip, too. */
  const folds = [0, 8, 16].map((first) => Array.from({ length: 8 }, (_, i) => first + i));

  async function trainFold(name: string, seed: number, over: Partial<StageContext<never>> = {}, compat = {}) {
    const { context, heard } = contextOf({
      params: { dataset: { folds }, train: { ...params.train, batchSize: 4, compat } },
      ...{ inputs: { frames, model: modelFile }, outputs: [join(root, name)] },
      ...{ matrix: { model: 'no-reg', seed } },
      ...over,
    });
    await train.run(context);
    return heard;
  }

  it.each([
    // 2020 mod 3 is 1. Users 8 to 15 have rows 8 to 15 of train.npy, and user 8 has row 8 of test.npy: 24 + 8 of both.
    [2020, [8, 9, 10, 11, 12, 13, 14, 15, 32]],
    [2021, [16, 17, 18, 19, 20, 21, 22, 23]],
  ])('seed %i tests the people of its fold, trains on all others, and resumes', async (seed, rows) => {
    const name = `fold-${seed}`;
    await trainFold(name, seed);
    const testUsers = folds[seed % 3];
    const split = await json(name, 'split.json');
    expect([...split.train, ...split.validation].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 33 }, (_, row) => row).filter((row) => !rows.includes(row)),
    );
    expect(split).toMatchObject({
      testUsers,
      rule: expect.stringContaining(`without users ${testUsers?.join(', ')}`),
    });
    const run = await json(name, 'run.json');
    expect(run.split).toEqual({
      ...{ train: split.train.length, validation: split.validation.length, test: rows.length, testUsers },
    });

    const { context } = contextOf({
      params: {},
      ...{ inputs: { frames, trained: join(root, name) }, outputs: [join(root, `${name}-evaluated`)] },
    });
    await evaluate.run(context);
    const evaluation = await json(`${name}-evaluated`, 'evaluation.json');
    expect(evaluation).toMatchObject({
      testUsers,
      test: { clips: rows.length, accuracy: run.best.testAccuracy },
    });
    expect(evaluation.validation.accuracy).toBe(run.best.validationAccuracy);
    const answers = csvParse(await readFile(join(root, `${name}-evaluated`, 'predictions.csv'), 'utf8'));
    const tested = answers.filter((row) => row.split === 'test');
    expect(tested.map(({ clip, user, class: label }) => [clip, user, label].map(Number))).toEqual(
      rows.map((row) => [row, row % 24, (row % 24) % 3]),
    );

    // For `repro evaluate`.
    expect((await loadCheckpoint(join(root, name))).trainedOn.testUsers).toEqual(testUsers);

    const resume = [join(root, `${name}-resume`)];
    await mkdir(resume[0]!);
    const controller = new AbortController();
    const progress = ({ done }: Progress) => void (done === 7 && controller.abort());
    const aborted = trainFold(`${name}-aborted`, seed, { resume, progress, signal: controller.signal });
    await expect(aborted).rejects.toMatchObject({ code: 'training-interrupted' });
    await trainFold(`${name}-resumed`, seed, { resume });
    for (const file of ['run.json', 'split.json', 'metrics.csv', 'best.safetensors', 'last.safetensors']) {
      const [one, other] = await Promise.all(
        [name, `${name}-resumed`].map((place) => readFile(join(root, place, file), 'hex')),
      );
      expect(other, file).toBe(one);
    }
  });

  it('the recordings of the original’s conversion cannot be selected', async () => {
    await expect(trainFold('none', 2020, {}, { trials: 'first-88' })).rejects.toMatchObject({
      code: 'compat-impossible',
      message: 'compat.trials: first-88 is about the official training split.',
      fix: 'Use `all`, or remove `dataset.folds`.',
    });
  });

  it('a training stays as it is without them', async () => {
    expect(await json('trained', 'split.json')).not.toHaveProperty('testUsers');
    expect(await json('trained', 'run.json')).toMatchObject({ split: { train: 21, validation: 3, test: 9 } });
  });
});
