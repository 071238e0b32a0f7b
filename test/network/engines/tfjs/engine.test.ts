import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { NeuronPass } from '../../../../src/network/engines/engine.ts';
import { createCpuEngine } from '../../../../src/network/engines/tfjs/engine.ts';
import { nativeEngine } from '../../../native/support.ts';
import '../../../support/all-close.ts';

/** Two steps of one neuron with τ = 2 (w = 0): a current of 3, then of 1. */
const pass: NeuronPass = {
  neuron: {
    kind: 'plif',
    tau: { per: 'layer', mean: 2, std: 0 },
    threshold: 1,
    reset: { kind: 'soft', detach: true },
    surrogate: { kind: 'atan', alpha: 2, learnable: true },
  },
  shape: [2, 1, 1],
  current: Float32Array.of(3, 1),
  coefficients: Float32Array.of(0, 1),
  logits: Float32Array.of(0),
};

/** `count` copies of the neuron side by side. */
const row = (count: number, shape: readonly number[], logits: number): NeuronPass => {
  const repeat = (values: Float32Array) =>
    Float32Array.from([...values].flatMap((value) => Array<number>(count).fill(value)));
  return {
    ...pass,
    shape: [2, 1, ...shape],
    current: repeat(pass.current),
    coefficients: repeat(pass.coefficients),
    logits: new Float32Array(logits),
  };
};

describe.each([
  ['TensorFlow.js', createCpuEngine('test')],
  ['WebAssembly', nativeEngine('wasm')],
])('one layer of neurons in %s', (_, engine) => {
  it('gives spikes, potentials after the reset and gradients that match a calculation by hand', async () => {
    const { spikes, potentials, gradients } = await engine.runNeurons(pass);
    // Step 1: h = 3/2, a spike, v = 1/2. Step 2: h = 1/2 + (1 − 1/2)/2 = 3/4, none.
    expect([...spikes]).toEqual([1, 0]);
    expect([...potentials]).toEqual([0.5, 0.75]);
    // u = −1/4 at step 2, so dL/dh₂ = 1/q with q = 1 + (π/4)²; dL/dh₁ = dL/dv₁ = dL/dh₂ · (1 − 1/2), as the reset is detached.
    const ofCharged = 1 / (1 + (Math.PI / 4) ** 2);
    expect(gradients.current).toBeAllclose([ofCharged / 4, ofCharged / 2]);
    // dL/d(1/τ) = dL/dh₁ · 3 + dL/dh₂ · (1 − 1/2); times dσ/dw = 1/4.
    expect(gradients.logits).toBeAllclose([((3 / 2 + 1 / 2) * ofCharged) / 4]);
    expect(gradients.alpha).toBeCloseTo((-0.25 / 2) * ofCharged, 6);
  });

  it('spikes if the potential reaches the threshold exactly, and not below it', async () => {
    // h = x / 2: 1, and the largest number below 1 in single precision.
    const current = Float32Array.of(2, 2 - 2 ** -23);
    const coefficients = new Float32Array(2);
    const { spikes, potentials } = await engine.runNeurons({
      ...pass,
      shape: [1, 1, 2],
      current,
      coefficients,
    });
    expect([...spikes]).toEqual([1, 0]);
    expect([...potentials]).toEqual([0, 1 - 2 ** -24]);
  });

  it.each([
    ['[F] with one w', [6], 1],
    ['[F] with one w each', [6], 6],
    ['[C, H, W] with one w', [3, 2, 1], 1],
    ['[C, H, W] with one w each', [3, 2, 1], 6],
  ])('takes neurons %s', async (_, shape, logits) => {
    const one = await engine.runNeurons(pass);
    const { spikes, gradients } = await engine.runNeurons(row(6, shape, logits));
    expect([...spikes]).toEqual([...Array<number>(6).fill(1), ...Array<number>(6).fill(0)]);
    const sum = one.gradients.logits![0]! * 6;
    expect(gradients.logits).toBeAllclose(Array<number>(logits).fill(sum / logits));
    expect(gradients.alpha).toBeCloseTo(one.gradients.alpha * 6, 5);
  });

  it('uses the fixed τ of LIF neurons, as training does', async () => {
    const lif: NeuronPass = { ...pass, neuron: { ...pass.neuron, kind: 'lif' } };
    const { logits: _, ...fixed } = lif;
    const expected = await engine.runNeurons(pass);
    for (const given of [fixed, { ...lif, logits: Float32Array.of(5) }]) {
      const { spikes, potentials, gradients } = await engine.runNeurons(given);
      expect(spikes).toEqual(expected.spikes);
      expect(potentials).toEqual(expected.potentials);
      expect(gradients).toEqual({ ...expected.gradients, logits: undefined });
    }
  });
});

describe('one layer of neurons in TensorFlow.js', () => {
  const engine = createCpuEngine('test');

  it('rejects PLIF neurons without w', async () => {
    const { logits: _, ...without } = pass;
    await expect(engine.runNeurons(without)).rejects.toThrow('a learned τ needs its w, got none');
  });

  it('does not change its inputs or keep any tensors', async () => {
    const before = tf.memory().numTensors;
    await engine.runNeurons(pass);
    expect(tf.memory().numTensors).toBe(before);
    expect(pass.current).toEqual(Float32Array.of(3, 1));
  });
});
