import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { hashText } from '../../../src/base/files/canonical-json.ts';
import { readFramesFacts, readRunFacts } from '../../../src/report/baseline/collect.ts';
import { type ClipIndex, formatClipIndex } from '../../../src/results/clip-index.ts';
import { formatEvaluation } from '../../../src/results/evaluation-file.ts';
import { formatFirstBatches, formatMetrics } from '../../../src/results/metrics.ts';
import { formatRun } from '../../../src/results/run-file.ts';
import { exampleEvaluation, exampleRunFile } from '../../results/examples.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** An epoch with three layers. */
function epoch(number: number, loss: number, validation: number | null, test: number | null, layers = 3) {
  return {
    epoch: number,
    learningRate: [0.005, 0.004, 0.003][number] ?? Number.NaN,
    train: { loss, accuracy: 0.5 },
    validation: validation === null ? null : { loss: 0.1, accuracy: validation },
    test: test === null ? null : { loss: 0.1, accuracy: test },
    layers: Array.from({ length: layers }, (_, i) => ({
      wMean: null,
      wStd: 0,
      tauMean: [2, 1.9, 1.8][i] ?? 1,
      tauStd: [0.1, 0.2, 0.3][i] ?? 1,
      tauChange: 0,
      spikeRate: [0.25, 0.26, 0.27][i] ?? 1,
    })),
  };
}

const epochs = [epoch(0, 0.09000000001, 0.5, null), epoch(1, 0.08, 0.75, 2 / 3), epoch(2, 0.07, 0.7, 1)];
const run = exampleRunFile();
const head = 'split,clip,recording,user,light,class,predicted\n';
const good: Readonly<Record<string, string>> = {
  'train/run.json': formatRun(run),
  'train/metrics.csv': formatMetrics(epochs),
  'train/first-batches.csv': formatFirstBatches([
    { loss: 0.0909, spikeRates: [0.2, 0, 0] },
    { loss: 0.09, spikeRates: [0.21, 0, 0] },
    { loss: 0.089, spikeRates: [0.22, 0, 0] },
  ]),
  'train/best.safetensors': 'weights',
  'evaluate/evaluation.json': formatEvaluation(exampleEvaluation()),
  'evaluate/predictions.csv': `${head}test,0,a,,,0,0\ntest,1,"b,c",,,1,0\ntest,2,d,,,2,2\nvalidation,5,e,,,1,0\n`,
};

/** Reads the files of a run, some of them changed; null: missing. */
async function readWith(changed: Readonly<Record<string, string | null>> = {}) {
  const folder = await temporaryFolder();
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
      accuracies: { train: [0.5, 0.5, 0.5], validation: [0.5, 0.75, 0.7], test: [null, 0.6666667, 1] },
      layers: [1, 2, 3].map((epoch) => ({
        epoch,
        learningRate: [0.005, 0.004, 0.003][epoch - 1],
        spikeRates: [0.25, 0.26, 0.27],
        tauMeans: [2, 1.9, 1.8],
        tauStds: [0.1, 0.2, 0.3],
      })),
      digests: {
        weights: hashText('weights'),
        predictions: hashText(good['evaluate/predictions.csv']!),
      },
      test: {
        clips: 3,
        list: expect.stringMatching(/^[0-9a-f]{64}$/),
        wrong: [1],
        correctByStep: [0, 1, 2],
        cost: {
          footprintBytes: 1000,
          activationSparsity: 0.9,
          denseOperations: 5000,
          effectiveMacs: 100.5,
          effectiveAcs: 250.25,
        },
      },
    });
  });

  test('include the answers by time step, and in other orders if the evaluation has them', async () => {
    const orders = { reversed: { clips: 3, correct: 1, accuracy: 1 / 3, loss: 0 } };
    const timed = exampleEvaluation({ correctByStep: [0, 3, 1, 2], orders });
    const { test } = await readWith({ 'evaluate/evaluation.json': formatEvaluation(timed) });
    expect(test).toMatchObject({ correctByStep: [0, 3, 1, 2], correctByOrder: { reversed: 1 } });
  });

  test('include how many are right with other τ, with both kinds of statistics', async () => {
    const answered = (correct: number) => ({
      ...{ clips: 3, correct, accuracy: correct / 3, loss: 0 },
      wrong: [0, 1, 2].slice(correct),
    });
    const tau = { permuted: { asTrained: answered(1), again: answered(2) } };
    const evaluation = formatEvaluation(exampleEvaluation({ tau }));
    const { test } = await readWith({ 'evaluate/evaluation.json': evaluation });
    expect(test.correctByTau).toEqual({ permuted: [1, 2] });
  });

  test('have the cost in seven digits, without what the engine did not count', async () => {
    const cost = { ...exampleEvaluation().cost!, effectiveMacs: null, effectiveAcs: 1000 / 3 };
    const evaluation = formatEvaluation(exampleEvaluation({ cost }));
    const { test } = await readWith({ 'evaluate/evaluation.json': evaluation });
    expect(test.cost).toMatchObject({ footprintBytes: 1000, effectiveAcs: 333.3333 });
    expect(test.cost).not.toHaveProperty('effectiveMacs');
  });

  test('have to be those of the last epoch if that was to be kept, without any validation', async () => {
    const facts = await readWith({
      'train/run.json': formatRun(exampleRunFile({ compat: { ...run.compat, selection: 'last' } })),
      'train/metrics.csv': formatMetrics(epochs.map((one) => ({ ...one, validation: null }))),
    });
    expect([facts.chosenEpoch, facts.preferredEpoch]).toEqual([2, 3]);
  });

  test('name the wrong test clips by their rows, which need not begin with 0', async () => {
    const predictions = `${head}test,4,a,1,,0,0\ntest,7,"b,c",1,,1,0\ntest,9,d,2,,2,2\n`;
    expect((await readWith({ 'evaluate/predictions.csv': predictions })).test.wrong).toEqual([7]);
  });

  test('have another list of clips if a recording or a class differs, not if an answer does', async () => {
    const listOf = async (from: string, to: string) => {
      const text = good['evaluate/predictions.csv']!.replace(from, to);
      const answers = text.matchAll(/^test,.*,(\d),(\d)$/gm);
      const confusion = [0, 1, 2].map(() => [0, 0, 0]);
      for (const [, label, predicted] of answers) confusion[Number(label)]![Number(predicted)]! += 1;
      const correct = confusion.reduce((sum, row, label) => sum + row[label]!, 0);
      const test = { clips: 3, correct, accuracy: correct / 3, loss: 0 };
      const evaluation = formatEvaluation(
        exampleEvaluation({ test, confusion, correctByStep: [0, correct] }),
      );
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

  test.each(
    Object.entries<[file: string, text: string | null, message: RegExp]>({
      'a missing file': ['train/first-batches.csv', null, /is missing.*train@no-reg,2020 --force/s],
      'a file cut off': ['train/run.json', '{"model": {', /not valid JSON/],
      'another model': [
        'train/run.json',
        formatRun({ ...run, model: { id: 'x', title: 'X' } }),
        /is "x", but its folder/,
      ],
      'another seed': ['train/run.json', formatRun({ ...run, seed: 1 }), /is 1, but its folder/],
      NaN: [
        'train/metrics.csv',
        formatMetrics([epoch(0, Number.NaN, 0, 0), ...epochs.slice(1)]),
        /train_loss of epoch 0: expected a number, found NaN/,
      ],
      'layers that the network does not have': [
        'train/metrics.csv',
        formatMetrics([epoch(0, 1, 0, 0, 4), epoch(1, 1, 1, 1, 4)]),
        /has 4 spiking layers, but the network of run.json 3/,
      ],
      'an impossible network': [
        'train/run.json',
        formatRun({ ...run, network: { ...run.network, input: [2, 1, 1] } }),
        /field "network" is invalid/,
      ],
      'an epoch that was not trained': [
        'evaluate/evaluation.json',
        formatEvaluation(exampleEvaluation({ checkpoint: { selection: 'validation', epoch: 3 } })),
        /is 3, but metrics.csv ends with 2/,
      ],
      'a contradiction': [
        'evaluate/predictions.csv',
        `${head}test,0,a,,,0,0\ntest,1,b,,,1,1\ntest,2,d,,,2,2\n`,
        /has 2 of 3 clips right, but predictions.csv 3 of 3/,
      ],
      'another confusion': [
        'evaluate/evaluation.json',
        formatEvaluation(
          exampleEvaluation({
            confusion: [
              [1, 0, 0],
              [0, 0, 1],
              [0, 0, 1],
            ],
          }),
        ),
        /field "confusion" is not what predictions.csv gives/,
      ],
    }),
  )('with %s are refused', async (_, [file, text, message]) => {
    const error = await readWith({ [file]: text }).then(
      () => null,
      (thrown: Error & { code: string; where: string; fix: string }) => thrown,
    );
    expect(error?.code).toBe('results-invalid');
    expect(error?.where).toContain(message.source.startsWith('has 2 of') ? 'evaluation.json' : file);
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
    folder = await temporaryFolder();
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
      message: 'the file is missing',
      where: path.join(folder, 'train.npy'),
    });
  });
});
