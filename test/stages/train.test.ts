import { mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import { decodeEventFile } from '../../src/formats/tfevents.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { stateEntries } from '../../src/network/spec.ts';
import { COMPAT_DEFAULTS } from '../../src/results/thesis/compat.ts';
import evaluate from '../../stages/evaluate.ts';
import train from '../../stages/train.ts';
import { parseRecords } from '../support/csv-records.ts';
import { sharedTemporaryFolder } from '../support/temporary-folder.ts';
import { contextOf, type Heard, modelFile, params, writeFrames } from './training-rig.ts';

const root = sharedTemporaryFolder();
let frames: string;

beforeAll(async () => {
  frames = join(root, 'frames');
  await writeFrames(frames);
});

/** Trainings print one line per epoch for their log. */
beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

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
  it('compute nothing with another engine than that of their fact', async () => {
    const facts = { engine: 'native 0123456789ab avx512 GCC 12.4.0' };
    const given = { params, inputs: { frames, model: modelFile }, outputs: [join(root, 'other')], facts };
    await expect(train.run(contextOf(given).context)).rejects.toMatchObject({ code: 'engine-changed' });
    await trainInto('trained');
    const { context } = contextOf({
      ...{ params: {}, inputs: { frames, trained: join(root, 'trained') }, outputs: [join(root, 'other')] },
      facts,
    });
    await expect(evaluate.run(context)).rejects.toMatchObject({ code: 'engine-changed' });
    expect(await readdir(root)).not.toContain('other');
  });

  it('train a model at a learning rate of its own', async () => {
    const rates = { [basename(modelFile, '.yaml')]: 0.02, other: 0.5 };
    const outputs = [join(root, 'own-rate')];
    const { context } = contextOf({
      params: { ...params, learningRates: rates },
      inputs: { frames, model: modelFile },
      outputs,
    });
    await train.run(context);
    expect(await json('own-rate', 'run.json')).toMatchObject({ training: { learningRate: 0.02 } });
  });

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
    const rows = parseRecords(await readFile(join(root, 'trained', 'metrics.csv'), 'utf8'));
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

    const predictions = parseRecords(await readFile(join(root, 'evaluated', 'predictions.csv'), 'utf8'));
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
    const taus = parseRecords(await readFile(join(root, 'evaluated', 'tau.csv'), 'utf8'));
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
    const predictions = parseRecords(await readFile(join(root, 'evaluated-taus', 'predictions.csv'), 'utf8'));
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

  it.each(['shuffled', 'mean'])('train and test on %s frames if the model says so', async (frameOrder) => {
    // With so low a threshold, its neurons fire from the start.
    const lively = { network: { ...params.train.network, threshold: 0.05 } };
    const resultsOf = async (name: string, over: object) => {
      await trainInto(name, [], undefined, { ...lively, ...over });
      const { context } = contextOf({
        params: { evaluate: { orders: ['reversed'] as const } },
        inputs: { frames, trained: join(root, name) },
        outputs: [join(root, name, 'evaluated')],
      });
      await evaluate.run(context);
      const rows = parseRecords(await readFile(join(root, name, 'metrics.csv'), 'utf8'));
      const [run, evaluation] = [
        await json(name, 'run.json'),
        await json(name, 'evaluated', 'evaluation.json'),
      ];
      return { run, evaluation, chosen: rows[run.best.epoch]!, first: rows[0]! };
    };
    const recorded = await resultsOf(`not-${frameOrder}`, {});
    const { run, evaluation, chosen, first } = await resultsOf(frameOrder, { frameOrder });
    expect(run.training).toEqual({ ...recorded.run.training, frameOrder });
    for (const part of ['train', 'validation', 'test'])
      expect(first[`${part}_loss`]).not.toBe(recorded.first[`${part}_loss`]);
    // In the same order as in training, and there is none to change.
    expect(evaluation.test.loss).toBeCloseTo(Number(chosen.test_loss), 6);
    expect(evaluation.validation.loss).toBeCloseTo(Number(chosen.validation_loss), 6);
    expect(evaluation).not.toHaveProperty('orders');
    expect(Object.keys(recorded.evaluation.orders)).toEqual(['reversed']);
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
    const predictions = parseRecords(
      await readFile(join(root, 'unheld-evaluated', 'predictions.csv'), 'utf8'),
    );
    expect(new Set(predictions.map((row) => row.split))).toEqual(new Set(['test']));
  });

  it('write the curves for TensorBoard, without clock times', async () => {
    const [name] = await readdir(join(root, 'trained', 'tensorboard'));
    expect(name).toBe('events.out.tfevents.0.repro');
    const bytes = await readFile(join(root, 'trained', 'tensorboard', name!));
    const { scalars } = decodeEventFile(bytes, name!);
    const rows = parseRecords(await readFile(join(root, 'trained', 'metrics.csv'), 'utf8'));
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

  it('test the official test users without folds', async () => {
    expect(await json('trained', 'split.json')).not.toHaveProperty('testUsers');
    expect(await json('trained', 'run.json')).toMatchObject({ split: { train: 21, validation: 3, test: 9 } });
  });
});
