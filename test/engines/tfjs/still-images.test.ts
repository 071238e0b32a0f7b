import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Frames, TrainingBatch } from '../../../src/engines/engine.ts';
import { createCpuEngine } from '../../../src/engines/tfjs/engine.ts';
import { kernelOperations } from '../../../src/engines/tfjs/kernel-operations.ts';
import { referenceOperations } from '../../../src/engines/tfjs/operations/reference-operations.ts';
import { initialState } from '../../../src/snn/initialise.ts';
import { buildNetwork } from '../../../src/snn/networks.ts';
import { dropoutLayers, type Layer, type NetworkSpec } from '../../../src/snn/spec.ts';
import { ShapeError } from '../../../src/snn/tensor.ts';
import '../../support/all-close.ts';
import { randomArray, randomNumbers } from '../../support/random.ts';
import { mnistNetwork } from '../../support/still-networks.ts';

/** A threshold at which such a small network, hardly trained, spikes in every layer. */
const mnist = buildNetwork({ ...mnistNetwork, channels: 2, hidden: 8, steps: 4, threshold: 0.02 });
const hyperparameters = { learningRate: 0.01, regulariseTau: 0 };

function batchOf(spec: NetworkSpec, seed: number, samples = 2): TrainingBatch {
  const random = randomNumbers(seed);
  const size = spec.input.reduce((product, length) => product * length, samples);
  return {
    frames: { shape: [samples, 1, ...spec.input], data: randomArray(size, random) },
    labels: Int32Array.from({ length: samples }, (_, i) => i % spec.classes),
    dropoutMasks: dropoutLayers(spec).map(({ features }) =>
      randomArray(samples * features, random, (u) => (u < 0.5 ? 0 : 2)),
    ),
  };
}

/** Batch norm before the image is repeated, and again afterwards, followed by a pool instead of neurons. */
const freeNorms: NetworkSpec = {
  input: [1, 4, 4],
  classes: 2,
  layers: [
    { kind: 'conv', name: 'conv.0', inChannels: 1, outChannels: 2, kernel: 3, padding: 1 },
    { kind: 'batch-norm', name: 'conv.1', channels: 2, momentum: 0.1, epsilon: 1e-5 },
    { kind: 'repeat', steps: 3 },
    { kind: 'conv', name: 'conv.2', inChannels: 2, outChannels: 2, kernel: 3, padding: 1 },
    { kind: 'batch-norm', name: 'conv.3', channels: 2, momentum: 0.1, epsilon: 1e-5 },
    { kind: 'pool', mode: 'average', size: 2 },
    { kind: 'flatten' },
    { kind: 'linear', name: 'fc.0', inFeatures: 8, outFeatures: 4 },
    {
      kind: 'neuron',
      name: 'fc.1',
      shape: [4],
      neuron: {
        kind: 'plif',
        tau: { per: 'layer', mean: 2, std: 0 },
        threshold: 0.1,
        reset: { kind: 'soft', detach: false },
        surrogate: { kind: 'atan', alpha: 2, learnable: false },
      },
    },
    { kind: 'vote', group: 2 },
  ],
};

const withLayer = (spec: NetworkSpec, at: number, layer: Layer): NetworkSpec => ({
  ...spec,
  layers: spec.layers.toSpliced(at, 0, layer),
});

describe.each([
  ['the kernels', kernelOperations],
  ['the composed operations', referenceOperations],
])('on %s', (_, operations) => {
  const open = (spec: NetworkSpec) => createCpuEngine('test', operations).open(spec, initialState(spec, 1));

  it('batch norm counts one pass before the image is repeated and T after it', async () => {
    const session = await open(freeNorms);
    await session.trainStep(batchOf(freeNorms, 1), hyperparameters);
    await session.trainStep(batchOf(freeNorms, 2), hyperparameters);
    const state = await session.state();
    expect(state.get('conv.1.num_batches_tracked')?.data).toEqual(BigInt64Array.of(2n));
    expect(state.get('conv.3.num_batches_tracked')?.data).toEqual(BigInt64Array.of(6n));
    session.dispose();
  });

  it('running statistics are updated once for a still image and T times for its repetition', async () => {
    // The second convolution copies its input, so both batch norms see images of mean 0 and variance 1, but for epsilon, and the
    // running mean, at 5 before, falls by a factor of 0.9 with each.
    const copy = Float32Array.from([0, 0, 0, 0, 1, 0, 0, 0, 0]);
    const nothing = new Float32Array(9);
    const weight = Float32Array.of(...copy, ...nothing, ...nothing, ...copy);
    const state = new Map(initialState(freeNorms, 1))
      .set('conv.2.weight', { dtype: 'F32', shape: [2, 2, 3, 3], data: weight })
      .set('conv.3.running_mean', { dtype: 'F32', shape: [2], data: Float32Array.of(5, 5) })
      .set('conv.3.running_var', { dtype: 'F32', shape: [2], data: Float32Array.of(7, 7) });
    const session = await createCpuEngine('test', operations).open(freeNorms, state);
    await session.trainStep(batchOf(freeNorms, 1), { ...hyperparameters, learningRate: 0 });
    const after = await session.state();
    const floats = (name: string) => after.get(name)!.data as Float32Array;
    expect(floats('conv.3.running_mean')).toBeAllclose([5 * 0.9 ** 3, 5 * 0.9 ** 3]);
    const unbiased = 32 / 31; // 2 samples of 4 x 4
    const variance = unbiased + (7 - unbiased) * 0.9 ** 3;
    expect(floats('conv.3.running_var')).toBeAllclose([variance, variance], { relative: 1e-3 });
    session.dispose();
  });

  it('keeps the same number of tensors after every step, and none once disposed of', async () => {
    const before = tf.memory().numTensors;
    for (const spec of [mnist, freeNorms]) {
      const session = await open(spec);
      const counts: number[] = [];
      for (let i = 0; i < 2; i++) {
        await session.trainStep(batchOf(spec, i), hyperparameters, { keepGradients: i === 1 });
        await session.evaluate(batchOf(spec, i).frames);
        counts.push(tf.memory().numTensors);
      }
      expect(new Set(counts).size).toBe(1);
      session.dispose();
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it('rejects repeating an input that already has time steps', async () => {
    const session = await open(withLayer(freeNorms, 3, { kind: 'repeat', steps: 2 }));
    await expect(session.evaluate(batchOf(freeNorms, 1).frames)).rejects.toThrow(ShapeError);
    await expect(session.evaluate(batchOf(freeNorms, 1).frames)).rejects.toThrow(/with 1 step.*got 3 steps/);
    session.dispose();
  });
});

it('both implementations train a network with batch norm before a pool alike', async () => {
  const [kernels, composed] = await Promise.all(
    [kernelOperations, referenceOperations].map(async (operations) => {
      const session = await createCpuEngine('test', operations).open(freeNorms, initialState(freeNorms, 1));
      const result = await session.trainStep(batchOf(freeNorms, 1), hyperparameters, { keepGradients: true });
      session.dispose();
      return result;
    }),
  );
  expect(kernels!.loss).toBeCloseTo(composed!.loss, 6);
  // Batch norm removes what its inputs have in common, so some gradients are sums that almost cancel, smaller than rounding errors.
  for (const [name, { data }] of composed!.gradients!) {
    expect(kernels!.gradients!.get(name)!.data as Float32Array, name).toBeAllclose(data as Float32Array, {
      absolute: 1e-5,
    });
  }
});

it('rejects frames with time steps for a network that makes its own', async () => {
  const session = await createCpuEngine('test').open(mnist, initialState(mnist, 1));
  const frames: Frames = { shape: [2, 4, 1, 28, 28], data: new Float32Array(2 * 4 * 28 * 28) };
  const error = await session.evaluate(frames).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ShapeError);
  expect(String(error)).toMatch(
    /frames: expected still images, \[N, 1, 1, 28, 28\].*for 4 steps; got \[2, 4, 1, 28, 28\]/,
  );
  await expect(session.evaluate({ shape: [1, 1, 1, 14, 14], data: new Float32Array(196) })).rejects.toThrow(
    ShapeError,
  );
  session.dispose();
});
