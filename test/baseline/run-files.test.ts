import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readClaimVerdicts } from '../../src/baseline/claims.ts';
import { readFramesFacts } from '../../src/baseline/frames-files.ts';
import { readRunFacts } from '../../src/baseline/run-files.ts';
import { type ClipIndex, formatClipIndex } from '../../src/formats/frame-cache.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'run-files-'));
});
afterAll(() => rm(root, { recursive: true }));

const run = {
  model: { id: 'no-reg', title: 'No Reg.' },
  seed: 2020,
  parameters: 123,
  frames: { steps: 4 },
  network: {
    input: [2, 8, 8],
    classes: 3,
    layers: 1,
    channels: 4,
    hidden: 5,
    neuron: 'lif',
    pooling: 'max',
    tau: { per: 'layer', mean: 2, std: 0 },
    reset: { kind: 'hard', detach: true },
    surrogate: { kind: 'atan', alpha: 2, learnable: false },
  },
  training: { epochs: 3, batchSize: 4 },
  compat: { selection: 'validation' },
  split: { train: 20, validation: 4, test: 3 },
};
const epochColumns =
  'epoch,learning_rate,train_loss,validation_accuracy,test_accuracy,tau_mean.0,tau_std.0,spike_rate.0,tau_mean.1,tau_std.1,spike_rate.1,tau_mean.2,tau_std.2,spike_rate.2';
const epochLayers = '2,0.1,0.25,1.9,0.2,0.26,1.8,0.3,0.27';
const good: Readonly<Record<string, string>> = {
  'train/run.json': JSON.stringify(run),
  'train/metrics.csv': `${epochColumns}\n0,0.005,0.09000000001,0.5,,${epochLayers}\n1,0.004,0.08,0.75,0.6666666666666666,${epochLayers}\n2,0.003,0.07,0.7,1,${epochLayers}\n`,
  'train/first-batches.csv':
    'batch,loss,spike_rate.0,spike_rate.1,spike_rate.2\n0,0.0909,0.2,0,0\n1,0.09,0.21,0,0\n2,0.089,0.22,0,0\n',
  'evaluate/evaluation.json': JSON.stringify({
    model: 'no-reg',
    seed: 2020,
    checkpoint: { epoch: 1 },
    test: { correct: 2 },
  }),
  'evaluate/predictions.csv':
    'split,clip,recording,class,predicted\ntest,0,a,0,0\ntest,1,"b,c",1,0\ntest,2,d,2,2\nvalidation,5,e,1,0\n',
};

/** Reads the files of a run, some of them changed; null: missing. */
async function readWith(changed: Readonly<Record<string, string | null>> = {}) {
  const folder = await mkdtemp(path.join(root, 'run-'));
  for (const [file, text] of Object.entries({ ...good, ...changed })) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    if (text !== null) await writeFile(path.join(folder, file), text);
  }
  const folders = { train: path.join(folder, 'train'), evaluate: path.join(folder, 'evaluate') };
  return readRunFacts(folders, { model: 'no-reg', seed: 2020, engine: 'native', evaluationEngine: 'tfjs' });
}

describe('the results of a run', () => {
  test('are read with seven digits, and without the number of epochs among the settings', async () => {
    expect(await readWith()).toEqual({
      model: 'no-reg',
      seed: 2020,
      engine: 'native',
      evaluationEngine: 'tfjs',
      settings: expect.objectContaining({
        parameters: 123,
        'frames.steps': 4,
        'network.channels': 4,
        'network.tau.per': 'layer',
        'training.batchSize': 4,
        'compat.selection': 'validation',
        'split.train': 20,
        'split.validation': 4,
        'split.test': 3,
      }),
      epochs: 3,
      chosenEpoch: 2,
      preferredEpoch: 2,
      rightInTraining: 2,
      // 4 clips of 4 steps: of 4 × 8 × 8, 5 and 3 × 10 neurons.
      neuronSteps: [4096, 80, 480],
      firstBatches: [
        { batch: 1, loss: 0.0909, spikeRates: [0.2, 0, 0] },
        { batch: 2, loss: 0.09, spikeRates: [0.21, 0, 0] },
        { batch: 3, loss: 0.089, spikeRates: [0.22, 0, 0] },
      ],
      trainLosses: [0.09, 0.08, 0.07],
      layers: [1, 2, 3].map((epoch) => ({
        epoch,
        learningRate: [0.005, 0.004, 0.003][epoch - 1],
        spikeRates: [0.25, 0.26, 0.27],
        tauMeans: [2, 1.9, 1.8],
        tauStds: [0.1, 0.2, 0.3],
      })),
      test: { clips: 3, list: expect.stringMatching(/^[0-9a-f]{64}$/), wrong: [1] },
    });
  });

  test('have to be those of the last epoch if that was to be kept, without any validation', async () => {
    const unheld = {
      ...run,
      compat: { selection: 'last' },
      split: { ...run.split, validation: 0 },
    };
    const metrics = good['train/metrics.csv']!.replace(/^(\d,[^,]*,[^,]*),[^,]*/gm, '$1,');
    expect(metrics).toContain('1,0.004,0.08,,0.666');
    const facts = await readWith({ 'train/run.json': JSON.stringify(unheld), 'train/metrics.csv': metrics });
    expect([facts.chosenEpoch, facts.preferredEpoch]).toEqual([2, 3]);
  });

  test('have another list of clips if a recording or a class differs, not if an answer does', async () => {
    const listOf = async (from: string, to: string) => {
      const text = good['evaluate/predictions.csv']!.replace(from, to);
      const correct = from === '1,0\n' ? 3 : 2;
      const evaluation = good['evaluate/evaluation.json']!.replace('"correct":2', `"correct":${correct}`);
      const read = await readWith({
        'evaluate/predictions.csv': text,
        'evaluate/evaluation.json': evaluation,
      });
      return read.test.list;
    };
    const list = (await readWith()).test.list;
    expect(await listOf('1,0\n', '1,1\n')).toBe(list);
    expect(await listOf('test,2,d', 'test,2,x')).not.toBe(list);
    expect(await listOf('2,2\n', '1,1\n')).not.toBe(list);
  });

  test.each<[string, string, string | null, RegExp]>([
    ['a missing file', 'train/first-batches.csv', null, /is missing.*train@no-reg,2020 --force/s],
    ['a file cut off', 'train/run.json', '{"model": {', /not valid JSON/],
    [
      'another model',
      'train/run.json',
      JSON.stringify({ ...run, model: { id: 'x' } }),
      /is "x", but its folder/,
    ],
    ['another seed', 'train/run.json', JSON.stringify({ ...run, seed: 1 }), /is 1, but its folder/],
    ['no rows', 'train/metrics.csv', `${epochColumns}\n`, /expected a row for each epoch/],
    [
      'NaN',
      'train/metrics.csv',
      `${epochColumns}\n0,0.1,NaN,0,0,${epochLayers}\n1,0.1,1,1,1,${epochLayers}\n`,
      /line 2, column "train_loss": expected a number, found "NaN"/,
    ],
    [
      'a missing epoch',
      'train/metrics.csv',
      `${epochColumns}\n1,1,1,0,0,${epochLayers}\n`,
      /line 2: expected epoch 0/,
    ],
    [
      'layers that the network does not have',
      'train/metrics.csv',
      `${epochColumns},spike_rate.3\n`.concat(`0,0.1,1,0,0,${epochLayers},0\n1,0.1,1,1,1,${epochLayers},0\n`),
      /has 4 spiking layers, but the network of run.json 3/,
    ],
    [
      'no network',
      'train/run.json',
      JSON.stringify({ ...run, network: { ...run.network, input: [2, 1, 1] } }),
      /is no network/,
    ],
    [
      'an epoch that was not trained',
      'evaluate/evaluation.json',
      good['evaluate/evaluation.json']!.replace('"epoch":1', '"epoch":3'),
      /is 3, but metrics.csv ends with 2/,
    ],
    [
      'a missing clip',
      'evaluate/predictions.csv',
      'split,clip,recording,class,predicted\ntest,1,a,0,0\n',
      /expected test clip 0, found "1"/,
    ],
    [
      'no test clips',
      'evaluate/predictions.csv',
      'split,clip,recording,class,predicted\n',
      /has no test clips/,
    ],
    [
      'an answer that is no class',
      'evaluate/predictions.csv',
      'split,clip,recording,class,predicted\ntest,0,a,0,\n',
      /must be whole numbers/,
    ],
    [
      'a contradiction',
      'evaluate/evaluation.json',
      good['evaluate/evaluation.json']!.replace('"correct":2', '"correct":3'),
      /is 3, but predictions.csv has 2/,
    ],
  ])('with %s are refused', async (_, file, text, message) => {
    const error = await readWith({ [file]: text }).then(
      () => null,
      (thrown: Error & { code: string; where: string; fix: string }) => thrown,
    );
    expect(error?.code).toBe('results-invalid');
    expect(error?.where).toContain(file);
    expect(`${error?.message} ${error?.fix}`).toMatch(message);
  });
});

describe('the frames', () => {
  const index: ClipIndex = {
    dataset: 'nmnist',
    simulated: false,
    classes: ['a'],
    sensor: { height: 1, width: 1 },
    frames: {
      steps: 1,
      splitBy: 'number',
      downsample: 1,
      height: 1,
      width: 1,
      dtype: 'uint8',
      normalization: null,
    },
    splits: { train: [], test: [] },
  };
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(root, 'frames-'));
    await writeFile(path.join(folder, 'clips.json'), formatClipIndex(index));
    await writeFile(path.join(folder, 'train.npy'), 'abc');
  });

  test('are known by their checksums and by the events that the stage counted', async () => {
    await writeFile(path.join(folder, 'test.npy'), '');
    const metrics = {
      'events.off.train': 1,
      'events.on.train': 2,
      'events.off.test': 3,
      'events.on.test': 4,
    };
    const none = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    expect((await readFramesFacts(folder, metrics)).frames).toEqual({
      train: {
        sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
        list: none,
        clips: 0,
        events: { off: 1, on: 2 },
      },
      test: {
        sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
        list: none,
        clips: 0,
        events: { off: 3, on: 4 },
      },
    });
    await expect(readFramesFacts(folder, {})).rejects.toThrow('no count of events by polarity');
  });

  test('that are missing are named', async () => {
    const metrics = { 'events.off.train': 1, 'events.on.train': 2 };
    await expect(readFramesFacts(folder, metrics)).rejects.toMatchObject({
      message: expect.stringMatching(/no count|missing/),
      fix: expect.stringContaining('repro run frames --force'),
    });
    await rm(path.join(folder, 'train.npy'));
    await expect(readFramesFacts(folder, metrics)).rejects.toMatchObject({
      message: 'is missing.',
      where: path.join(folder, 'train.npy'),
    });
  });
});

test('verdicts on claims that are missing, of another version or unknown are refused', async () => {
  const file = path.join(root, 'claims.json');
  await expect(readClaimVerdicts(file)).rejects.toMatchObject({ message: 'is missing.', where: file });
  const claim = { id: 'a', statement: 'b', measured: null, reason: 'c', verdict: 'perhaps' };
  await writeFile(file, JSON.stringify({ version: 1, claims: [claim] }));
  await expect(readClaimVerdicts(file)).rejects.toThrow('claims[0].verdict');
  await writeFile(file, JSON.stringify({ version: 2, claims: [] }));
  await expect(readClaimVerdicts(file)).rejects.toThrow('version');
});
