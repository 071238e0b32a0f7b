import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { State, Tensor } from '../../../src/formats/tensor.ts';
import type { Engine, Hyperparameters } from '../../../src/network/engines/engine.ts';
import { createCpuEngine } from '../../../src/network/engines/tfjs/engine.ts';
import { buildNetwork } from '../../../src/network/networks.ts';
import { tauOfLogit } from '../../../src/network/neurons.ts';
import { builds, livelyState, nativeEngine, randomBatch } from '../../native/support.ts';
import '../../support/all-close.ts';
import { thesisNetwork } from '../../support/thesis-network.ts';
import { hasDevice, webgpuEngine } from './webgpu/support.ts';

const spec = buildNetwork({
  ...thesisNetwork,
  input: [2, 9, 11],
  classes: 3,
  channels: 20,
  layers: 2,
  tau: { per: 'neuron', mean: 2, std: 0.1 },
  surrogate: { kind: 'atan', alpha: 2, learnable: true },
  hidden: 30,
  votes: 2,
});
const initial = (): Map<string, Tensor> => new Map(livelyState(spec));
const batchOf = (seed: number) => randomBatch(spec, { seed });
const hyperparameters = { learningRate: 0.01, regulariseTau: 0.1 };
const engines: readonly (readonly [string, Engine])[] = [
  ['tfjs', createCpuEngine('test')],
  ...builds.map((build) => [build, nativeEngine(build)] as const),
  ...(hasDevice ? [['webgpu', webgpuEngine()] as const] : []),
];

const floats = (state: State | undefined, name: string): number[] =>
  Array.from(state?.get(name)?.data ?? [], Number);

function sampleVariance(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

it('a session of TensorFlow.js holds the same number of tensors after every step, and none once disposed', async () => {
  const before = tf.memory().numTensors;
  const session = await createCpuEngine('test').open(spec, initial());
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
});

describe.each(engines)('a session of %s', (_, engine) => {
  const open = (state: State = initial()) => engine.open(spec, state);

  it('gives the same bits every time, whatever batches are evaluated in between', async () => {
    const run = async (evaluates: boolean) => {
      const session = await open();
      for (let i = 0; i < 3; i++) {
        await session.trainStep(batchOf(i), hyperparameters);
        if (!evaluates) continue;
        await session.evaluate(randomBatch(spec, { samples: 7, seed: i }).frames);
        await session.evaluate(randomBatch(spec, { samples: 1, steps: 9, seed: i }).frames);
      }
      const result = [await session.state(), await session.evaluate(batchOf(9).frames)];
      session.dispose();
      return result;
    };
    const expected = await run(false);
    expect(await run(false)).toEqual(expected);
    expect(await run(true)).toEqual(expected);
  });

  it('resumes from a saved state and optimiser to the same bits as without a break', async () => {
    const whole = await open();
    for (let i = 0; i < 4; i++) await whole.trainStep(batchOf(i), hyperparameters);

    const first = await open();
    for (let i = 0; i < 2; i++) await first.trainStep(batchOf(i), hyperparameters);
    const [state, optimiser] = [await first.state(), await first.optimiserState()];
    first.dispose();
    expect(optimiser.step).toBe(2);
    const second = await engine.open(spec, state, optimiser);
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
    const { frames } = randomBatch(spec, { samples: 5, seed: 5 });
    const { rates, spikeRates } = await session.evaluate(frames);
    expect(await session.state()).toEqual(before);
    expect(spikeRates).toHaveLength(4);
    const [samples, ...shape] = frames.shape;
    const size = frames.data.length / samples;
    const alone: number[] = [];
    for (let from = 0; from < frames.data.length; from += size) {
      const data = frames.data.slice(from, from + size);
      alone.push(...(await session.evaluate({ shape: [1, ...shape], data })).rates);
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

  it.each<[string, Pick<Hyperparameters, 'regularise' | 'regulariseTau'>, (w: number) => number]>([
    ['Var(w)', { regulariseTau: 10 }, (w) => w],
    ['Var(w), a λ for each layer,', { regulariseTau: [10, 0, 20, 5], regularise: 'w' }, (w) => w],
    ['Var(τ)', { regulariseTau: 10, regularise: 'tau' }, tauOfLogit],
  ])('adds λ · %s to the loss and its gradient, and leaves it out at λ = 0', async (_, asked, of) => {
    const train = async (regulariser: typeof asked) => {
      const session = await open();
      const settings = { learningRate: 0.01, ...regulariser };
      const { loss, gradients } = await session.trainStep(batchOf(0), settings, { keepGradients: true });
      session.dispose();
      return { loss, ofLogits: floats(gradients, 'fc.3.w'), ofWeights: floats(gradients, 'conv.0.weight') };
    };
    const [without, added] = [await train({ ...asked, regulariseTau: 0 }), await train(asked)];
    const { regulariseTau } = asked;
    const lambdas = typeof regulariseTau === 'number' ? Array(4).fill(regulariseTau) : regulariseTau;
    const penalties = ['conv.2.w', 'conv.6.w', 'fc.3.w', 'fc.6.w'].map(
      (name, layer) => lambdas[layer] * sampleVariance(floats(initial(), name).map(of)),
    );
    expect(added.loss - without.loss).toBeCloseTo(
      penalties.reduce((sum, one) => sum + one),
      5,
    );
    expect(added.ofWeights).toEqual(without.ofWeights);
    const logits = floats(initial(), 'fc.3.w');
    const numeric = logits.map((logit, i) => {
      const shifted = (by: number) => sampleVariance(logits.with(i, logit + by).map(of));
      return without.ofLogits[i]! + (lambdas[2] * (shifted(1e-4) - shifted(-1e-4))) / 2e-4;
    });
    expect(added.ofLogits).toBeAllclose(numeric);
  });

  it('multiplies the steps of w alone by the rate for τ; a rate of 0 leaves w exactly as drawn', async () => {
    const trainAt = async (tauRate: number) => {
      const session = await open();
      // So large that single precision keeps the steps.
      await session.trainStep(batchOf(0), { learningRate: 0.5, regulariseTau: 0.1, tauRate });
      const state = await session.state();
      session.dispose();
      return state;
    };
    const [still, plain, fast] = [await trainAt(0), await trainAt(1), await trainAt(4)];
    for (const [name, { data }] of initial()) {
      if (!name.endsWith('.w')) expect(still.get(name), name).toEqual(plain.get(name));
      else {
        expect(still.get(name)?.data).toEqual(data);
        const moves = (state: State) => floats(state, name).map((w, i) => w - Number(data[i]));
        expect(moves(fast)).toBeAllclose(moves(plain).map((move) => 4 * move));
      }
    }
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
      /state: "fc.3.w" must be F32 \[1, 30\], got F32 \[\]/,
    ],
    [
      'frames of another size',
      async () => (await open()).evaluate({ shape: [1, 4, 2, 8, 8], data: new Uint8Array(512) }),
      /frames: expected \[N, T, 2, 9, 11\]/,
    ],
    [
      'a λ for another number of layers',
      async () => (await open()).trainStep(batchOf(0), { ...hyperparameters, regulariseTau: [0.1, 0.2] }),
      /λ: expected 4, one for each spiking layer, got 2/,
    ],
    [
      'a label that is not a class',
      async () =>
        (await open()).trainStep({ ...batchOf(0), labels: Int32Array.of(0, 3, 1) }, hyperparameters),
      /sample 1 has class 3, expected 0 to 2/,
    ],
  ])('rejects %s', async (_, action, message) => {
    await expect(action()).rejects.toMatchObject({
      name: 'ShapeError',
      message: expect.stringMatching(message),
    });
  });

  it('throws once it has been disposed of', async () => {
    const session = await open();
    session.dispose();
    await expect(session.state()).rejects.toThrow(/disposed/);
  });
});
