import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Frames, Hyperparameters, TrainingBatch } from '../../../src/engines/engine.ts';
import { createCpuEngine } from '../../../src/engines/tfjs/engine.ts';
import { kernelOperations } from '../../../src/engines/tfjs/kernel-operations.ts';
import { referenceOperations } from '../../../src/engines/tfjs/operations/reference-operations.ts';
import { initialState } from '../../../src/snn/initialise.ts';
import { buildNetwork } from '../../../src/snn/networks.ts';
import { tauOfLogit } from '../../../src/snn/neurons.ts';
import { dropoutLayers } from '../../../src/snn/spec.ts';
import type { State, Tensor } from '../../../src/snn/tensor.ts';
import { ShapeError } from '../../../src/snn/tensor.ts';
import '../../support/all-close.ts';
import { randomArray, randomNumbers } from '../../support/random.ts';
import { thesisNetwork } from '../../support/thesis-network.ts';

const spec = buildNetwork({
  ...thesisNetwork,
  input: [2, 9, 8],
  classes: 3,
  channels: 4,
  layers: 2,
  tau: { per: 'neuron', mean: 2, std: 0.1 },
  surrogate: { kind: 'atan', alpha: 2, learnable: true },
  hidden: 16,
  votes: 2,
});
const initial = (): Map<string, Tensor> => new Map(initialState(spec, 1));

function batchOf(seed: number, samples = 3, steps = 4): TrainingBatch {
  const random = randomNumbers(seed);
  const size = samples * steps * 2 * 9 * 8;
  return {
    frames: {
      shape: [samples, steps, 2, 9, 8],
      data: Uint8Array.from({ length: size }, () => (random() < 0.4 ? 3 * random() + 1 : 0)),
    },
    labels: Int32Array.from({ length: samples }, (_, i) => i % 3),
    dropoutMasks: dropoutLayers(spec).map(({ features }) =>
      randomArray(samples * features, random, (u) => (u < 0.5 ? 0 : 2)),
    ),
  };
}

const hyperparameters = { learningRate: 0.01, regulariseTau: 0.1 };
const open = (state: State = initial()) => createCpuEngine('test').open(spec, state);

const floats = (state: State | undefined, name: string): number[] =>
  Array.from(state?.get(name)?.data ?? [], Number);

function sampleVariance(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

describe('a session', () => {
  it.each([
    ['the kernels', kernelOperations],
    ['the composed operations', referenceOperations],
  ])(
    'on %s holds the same number of tensors after every step, and none once disposed',
    async (_, operations) => {
      const before = tf.memory().numTensors;
      const session = await createCpuEngine('test', operations).open(spec, initial());
      const counts: number[] = [];
      for (let i = 0; i < 3; i++) {
        await session.trainStep(batchOf(i), hyperparameters, { keepGradients: i === 1 });
        await session.evaluate(batchOf(i).frames);
        await session.state();
        await session.optimiserState();
        counts.push(tf.memory().numTensors);
      }
      expect(new Set(counts).size).toBe(1);
      session.dispose();
      session.dispose();
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  it('gives the same bits every time', async () => {
    const run = async () => {
      const session = await open();
      for (let i = 0; i < 3; i++) await session.trainStep(batchOf(i), hyperparameters);
      const result = [await session.state(), await session.evaluate(batchOf(9).frames)];
      session.dispose();
      return result;
    };
    expect(await run()).toEqual(await run());
  });

  it('resumes from a saved state and optimiser to the same bits as without a break', async () => {
    const whole = await open();
    for (let i = 0; i < 4; i++) await whole.trainStep(batchOf(i), hyperparameters);

    const first = await open();
    for (let i = 0; i < 2; i++) await first.trainStep(batchOf(i), hyperparameters);
    const [state, optimiser] = [await first.state(), await first.optimiserState()];
    first.dispose();
    expect(optimiser.step).toBe(2);
    const second = await createCpuEngine('test').open(spec, state, optimiser);
    for (let i = 2; i < 4; i++) await second.trainStep(batchOf(i), hyperparameters);

    expect(await second.state()).toEqual(await whole.state());
    expect(await second.optimiserState()).toEqual(await whole.optimiserState());
    whole.dispose();
    second.dispose();
  });

  it('does not change in evaluation, and gives each sample the same rates in any batch', async () => {
    const session = await open();
    await session.trainStep(batchOf(0), hyperparameters);
    const before = await session.state();
    const { frames } = batchOf(5);
    const { rates, spikeRates } = await session.evaluate(frames);
    expect(await session.state()).toEqual(before);
    expect(spikeRates).toHaveLength(4);
    const size = frames.data.length / 3;
    const alone: number[] = [];
    for (let sample = 0; sample < 3; sample++) {
      const one: Frames = {
        shape: [1, 4, 2, 9, 8],
        data: frames.data.slice(sample * size, (sample + 1) * size),
      };
      alone.push(...(await session.evaluate(one)).rates);
    }
    expect(alone).toEqual([...rates]);
    session.dispose();
  });

  it('returns copies and keeps none of its arguments', async () => {
    const given = initial();
    const session = await open(given);
    const before = await session.state();
    for (const states of [given, await session.state()]) {
      for (const { dtype, data } of states.values()) dtype === 'F32' ? data.fill(0) : data.fill(7n);
    }
    expect(await session.state()).toEqual(before);
    session.dispose();
  });

  it('takes frames as bytes, words or floats alike', async () => {
    const session = await open();
    const { frames } = batchOf(2);
    const expected = await session.evaluate(frames);
    for (const type of [Uint16Array, Uint32Array, Float32Array]) {
      expect(await session.evaluate({ shape: frames.shape, data: type.from(frames.data) })).toEqual(expected);
    }
    session.dispose();
  });

  it.each<[string, Pick<Hyperparameters, 'regularise'>, (w: number) => number]>([
    ['Var(w)', {}, (w) => w],
    ['Var(w), asked for by name,', { regularise: 'w' }, (w) => w],
    ['Var(τ)', { regularise: 'tau' }, tauOfLogit],
  ])('adds λ · %s to the loss and its gradient, and leaves it out at λ = 0', async (_, regularise, of) => {
    const train = async (regulariseTau: number) => {
      const session = await open();
      const settings = { learningRate: 0.01, regulariseTau, ...regularise };
      const { loss, gradients } = await session.trainStep(batchOf(0), settings, { keepGradients: true });
      session.dispose();
      return { loss, ofLogits: floats(gradients, 'conv.2.w'), ofWeights: floats(gradients, 'conv.0.weight') };
    };
    const [without, added] = [await train(0), await train(10)];
    const variances = [...initial().keys()]
      .filter((name) => name.endsWith('.w'))
      .map((name) => sampleVariance(floats(initial(), name).map(of)));
    expect(added.loss - without.loss).toBeCloseTo(10 * variances.reduce((sum, one) => sum + one), 5);
    expect(added.ofWeights).toEqual(without.ofWeights);
    const logits = floats(initial(), 'conv.2.w');
    const numeric = logits.map((logit, i) => {
      const shifted = (by: number) => sampleVariance(logits.with(i, logit + by).map(of));
      return without.ofLogits[i]! + (10 * (shifted(1e-4) - shifted(-1e-4))) / 2e-4;
    });
    expect(added.ofLogits).toBeAllclose(numeric);
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'a state without one of its tensors',
      () => open(new Map([...initial()].filter(([name]) => name !== 'fc.3.w'))),
      /state: expected a tensor "fc.3.w", found none/,
    ],
    [
      'a tensor of another shape',
      () => open(initial().set('fc.3.w', { dtype: 'F32', shape: [], data: Float32Array.of(0) })),
      /state: "fc.3.w" must be F32 \[1, 16\], got F32 \[\] with 1 values/,
    ],
    [
      'moments of another shape',
      async () => {
        const moments = initial().set('fc.3.w', { dtype: 'F32', shape: [16], data: new Float32Array(16) });
        return createCpuEngine('test').open(spec, initial(), { step: 1, first: initial(), second: moments });
      },
      /the optimiser's second moments: "fc.3.w" must be F32 \[1, 16\], got F32 \[16\]/,
    ],
    [
      'frames of another size',
      async () => (await open()).evaluate({ shape: [1, 4, 2, 8, 8], data: new Uint8Array(512) }),
      /frames: expected \[N, T, 2, 9, 8\]/,
    ],
    [
      'a label that is not a class',
      async () =>
        (await open()).trainStep({ ...batchOf(0), labels: Int32Array.of(0, 3, 1) }, hyperparameters),
      /sample 1 has class 3, expected 0 to 2/,
    ],
    [
      'a missing dropout mask',
      async () => (await open()).trainStep({ ...batchOf(0), dropoutMasks: [] }, hyperparameters),
      /expected 2 masks, got 0/,
    ],
  ])('rejects %s', async (_, action, message) => {
    const error = await action().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ShapeError);
    expect(String(error)).toMatch(message);
  });

  it('throws once it has been disposed of', async () => {
    const session = await open();
    session.dispose();
    await expect(session.state()).rejects.toThrow(/disposed/);
  });
});
