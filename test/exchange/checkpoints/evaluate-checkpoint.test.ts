import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeEvaluation } from '../../../src/app/checkpoints/checkpoints.ts';
import { ReproError } from '../../../src/base/errors.ts';
import {
  checkFramesFit,
  evaluateCheckpoint,
  type LoadedCheckpoint,
} from '../../../src/exchange/checkpoints/evaluate-checkpoint.ts';
import { loadCheckpoint } from '../../../src/exchange/checkpoints/loaded-checkpoint.ts';
import type { TrainedOn } from '../../../src/exchange/checkpoints/self-description.ts';
import type { NetworkConfig } from '../../../src/network/networks.ts';
import type { ClipIndex } from '../../../src/results/clip-index.ts';
import type { ScoringCompat } from '../../../src/training/scores.ts';
import { builds, nativeEngine } from '../../native/support.ts';
import { sharedTemporaryFolder } from '../../support/temporary-folder.ts';
import { torchFixturePath } from '../../support/torch-file.ts';
import { expectedRates, labels, olderFrames, writeFrameCache, writeImageCache } from './frames-of-fixture.ts';

const folder = sharedTemporaryFolder();
let checkpoint: LoadedCheckpoint;
beforeAll(async () => {
  await writeFrameCache(folder);
  checkpoint = await loadCheckpoint(torchFixturePath('baseline.pt'));
});

async function evaluate(
  one: Partial<LoadedCheckpoint> = {},
  {
    signal = new AbortController().signal,
    otherFrames = false,
    framesFolder = folder,
    compat = {} as Partial<ScoringCompat>,
  } = {},
) {
  const done: [number, number][] = [];
  const evaluation = await evaluateCheckpoint(
    { ...checkpoint, ...one },
    {
      engine: nativeEngine(builds.at(-1)),
      framesFolder,
      otherFrames,
      batchSize: 2,
      compat,
      signal,
      progress: (...counts) => void done.push(counts),
    },
  );
  return { evaluation, done };
}

describe('evaluating a checkpoint', () => {
  test('of a training with folds of users tests the people whom it did not train on', async () => {
    // User 1 has one of the three clips of each file, which PyTorch gets right.
    const trainedOn = { ...checkpoint.trainedOn, dataset: 'dvs128-gesture' };
    const folds = await evaluate({ trainedOn: { ...trainedOn, testUsers: [1] } });
    expect(folds.evaluation).toMatchObject({ clips: 2, correct: 2 });
    expect((await evaluate({ trainedOn })).evaluation).toMatchObject({ clips: 3, correct: 2 });
  });

  test('of a training on other orders of frames tests in the same order, and says so', async () => {
    const { evaluation } = await evaluate({ trainedOn: { ...checkpoint.trainedOn, frameOrder: 'mean' } });
    expect(evaluation.loss).not.toBe((await evaluate()).evaluation.loss);
    expect(describeEvaluation(evaluation)).toContainEqual(['frames', 'mean, as in its training']);
  });

  test('gives the accuracy and loss that follow from PyTorch’s rates', async () => {
    const { evaluation, done } = await evaluate();
    const squares = [...expectedRates()].map(
      (rate, i) => (rate - (labels[Math.floor(i / 3)] === i % 3 ? 1 : 0)) ** 2,
    );
    expect(evaluation).toMatchObject({
      clips: 3,
      correct: 2,
      accuracy: 2 / 3,
      simulated: true,
      steps: 6,
    });
    expect(evaluation.loss).toBeCloseTo(squares.reduce((a, b) => a + b) / 9, 6);
    // (p + z²/2n ± z·√(p(1 − p)/n + z²/4n²)) / (1 + z²/n) for 2 of 3
    expect(evaluation.interval.low).toBeCloseTo(0.2077, 4);
    expect(evaluation.interval.high).toBeCloseTo(0.9385, 4);
    expect(done).toEqual([
      [2, 3],
      [3, 3],
    ]);
    expect(evaluation.warnings).toEqual([]);
  });

  test('takes the loss of its training, unless another is asked for', async () => {
    const { loss } = (await evaluate()).evaluation;
    const ofSteps = (await evaluate({ compat: { loss: 'step' } })).evaluation.loss;
    // Larger by the mean variance of the outputs over the steps.
    expect(ofSteps).toBeGreaterThan(loss + 0.01);
    const overridden = await evaluate({ compat: { loss: 'step' } }, { compat: { loss: 'rate' } });
    expect(overridden.evaluation.loss).toBe(loss);
  });

  test('refuses a state with NaN or infinite values, naming its tensors', async () => {
    const state = new Map(checkpoint.state);
    for (const [name, value] of [
      ['conv.0.weight', Number.NaN],
      ['fc.6.w', Number.POSITIVE_INFINITY],
    ] as const) {
      const tensor = state.get(name);
      if (tensor?.dtype !== 'F32') throw new Error(name);
      state.set(name, { ...tensor, data: tensor.data.slice().fill(value, 0, 1) });
    }
    await expect(evaluate({ state })).rejects.toMatchObject({
      code: 'state-broken',
      where: 'baseline.pt',
      message: expect.stringContaining('"conv.0.weight", "fc.6.w": some values are NaN or infinite'),
    });
  });

  test('says when the recordings are simulated', async () => {
    const { evaluation } = await evaluate();
    expect(describeEvaluation(evaluation)).toEqual([
      ['clips', '3 test clips of dvs128-gesture, 6 frames each'],
      ['simulated', 'these recordings are simulated: the figures say nothing about real ones'],
      ['accuracy', '2 of 3, 66.7 %; 95 % Wilson interval 20.8 to 93.9 %'],
      ['loss', evaluation.loss.toPrecision(4)],
    ]);
    expect(describeEvaluation({ ...evaluation, simulated: false }).map(([topic]) => topic)).not.toContain(
      'simulated',
    );
  });

  test('stops when aborted', async () => {
    const signal = AbortSignal.abort();
    await expect(evaluate({}, { signal })).rejects.toMatchObject({ code: 'evaluation-interrupted' });
  });

  test('needs to know the network, and says why it does not', async () => {
    await expect(
      evaluate({ network: null, whyUnknown: 'it has no tensor "conv.0.weight".' }),
    ).rejects.toMatchObject({
      code: 'network-unknown',
      message: 'the network of these tensors is unknown: it has no tensor "conv.0.weight".',
    });
  });
});

describe('frames that a network cannot be shown', () => {
  const index = {
    dataset: 'dvs128-gesture',
    classes: ['a', 'b', 'c'],
    sensor: { height: 128, width: 128 },
    frames: { steps: 6, splitBy: 'number', height: 32, width: 32 },
    simulated: true,
  } as unknown as ClipIndex;

  const refusal = (changes: Partial<NetworkConfig>, input: [number, number, number] = [2, 32, 32]) =>
    expect(() => checkFramesFit({ ...checkpoint.network!, ...changes }, index, input));

  test('are refused with the setting that makes them fit', () => {
    refusal({}).toThrow(
      expect.objectContaining({
        message: 'the network takes frames of 16 x 16, but these are 32 x 32.',
        fix: 'Frames that fit: --set frames.downsample=8.',
      }),
    );
  });

  test('are refused if no setting helps', () => {
    refusal({ input: [2, 50, 50] }).toThrow(
      expect.objectContaining({ fix: expect.stringContaining('import it with --input 32x32') }),
    );
    refusal({ classes: 10 }, [2, 16, 16]).toThrow('has 10 classes, but dvs128-gesture has 3');
    refusal({ input: [1, 32, 32] }).toThrow('frames with 1 channels');
  });
});

describe('frames made differently from those of the training', () => {
  /** The fixture's frames. */
  const frames: ClipIndex['frames'] = { ...olderFrames, invalidEvents: 'keep' };
  const same: TrainedOn = { dataset: 'dvs128-gesture', simulated: true, steps: 6, frames };

  async function refusal(trainedOn: TrainedOn): Promise<ReproError> {
    const error: unknown = await evaluate({ trainedOn }).catch((caught: unknown) => caught);
    if (error instanceof ReproError) return error;
    throw new Error('they were accepted');
  }

  test('are refused with the settings that give those of the training', async () => {
    const { code, message, fix } = await refusal({
      ...same,
      frames: { ...frames, steps: 20, normalization: 'max' },
    });
    expect([code, message, fix]).toEqual([
      'frames-differ',
      'these frames differ from those of its training.\n' +
        '  frames.steps: 20 in its training, 6 here\n' +
        '  frames.normalization: max in its training, none here',
      'Add --set frames.steps=20 --set frames.normalization=max\nTo use these frames anyway, add --other-frames.',
    ]);
  });

  test('are refused without settings for whole images in place of rows, and the other way round', async () => {
    const rows = { ...same, frames: { ...frames, splitBy: 'rows' as const } };
    const framesFolder = await writeImageCache(path.join(folder, 'images'));
    for (const otherFrames of [false, true])
      await expect(evaluate({ trainedOn: rows }, { framesFolder, otherFrames })).rejects.toMatchObject({
        code: 'frames-misfit',
        message: 'the network is for sequences of frames, but dvs128-gesture has still images here.',
        fix: 'Choose a profile with frames like those of its training, with --profile.',
      });
    const trainedOn = { ...same, steps: 1, frames: { ...frames, steps: 1, splitBy: null } };
    const network = { ...checkpoint.network!, architecture: 'mnist' as const };
    await expect(evaluate({ trainedOn, network })).rejects.toThrow(
      'the network is for still images (mnist), but dvs128-gesture has sequences of frames here.',
    );
  });

  test.each([
    ['splitBy', { splitBy: 'time' }],
    ['downsample', { downsample: 4 }],
    ['invalidEvents', { invalidEvents: 'drop' }],
    ['overlaps', { overlaps: 'earlier' }],
    ['rowStride', { rowStride: 'height' }],
  ] as const)('are refused for %s', async (key, changes) => {
    const { message } = await refusal({ ...same, frames: { ...frames, ...changes } });
    expect(message).toContain(`frames.${key}: ${Object.values(changes)[0]} in its training`);
  });

  test('are accepted on request, with a warning for each difference', async () => {
    const trainedOn = { ...same, dataset: 'nmnist', frames: { ...frames, normalization: 'max' } } as const;
    expect((await refusal(trainedOn)).fix).toContain('Choose a profile for nmnist with --profile.');
    const { evaluation } = await evaluate({ trainedOn }, { otherFrames: true });
    expect(evaluation.warnings).toEqual([
      'These frames differ from those of its training: dataset.name: nmnist in its training, dvs128-gesture here.',
      'These frames differ from those of its training: frames.normalization: max in its training, none here.',
    ]);
  });
});
