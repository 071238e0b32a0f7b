import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { sigmoid } from '../../../src/engines/tfjs/differentiable.ts';
import { createCpuEngine } from '../../../src/engines/tfjs/engine.ts';
import { fireBackward } from '../../../src/engines/tfjs/kernels/neuron-backward.ts';
import { fire, identityAffine, type NeuronRun } from '../../../src/engines/tfjs/kernels/neuron-forward.ts';
import { integrateAndFire, stepNeuron } from '../../../src/engines/tfjs/reference/neuron.ts';
import type { NeuronSpec } from '../../../src/snn/spec.ts';
import '../../support/all-close.ts';
import { type FloatTensor, type GoldenCase, goldenCases, loadGolden } from '../../support/golden.ts';

function neuronOf({ description }: GoldenCase): NeuronSpec {
  const { v_reset, detach_reset, v_threshold, alpha, neuron } = description as {
    v_reset: number | null;
    detach_reset: boolean;
    v_threshold: number;
    alpha: number;
    neuron: string;
  };
  return {
    kind: neuron === 'PLIF' ? 'plif' : 'lif',
    tau: { per: 'layer', mean: 2, std: 0 },
    threshold: v_threshold,
    reset:
      v_reset === null
        ? { kind: 'soft', detach: detach_reset }
        : { kind: 'hard', potential: v_reset, detach: detach_reset },
    surrogate: { kind: 'atan', alpha, learnable: false },
  };
}

const tensorOf = ({ data, shape }: FloatTensor): tf.Tensor => tf.tensor(data, [...shape], 'float32');
const within = { relative: 1e-4 };

beforeAll(() => {
  createCpuEngine('test');
  tf.setBackend('cpu');
});

describe.each(goldenCases('neuron'))('%s', (name) => {
  const golden = loadGolden(name);
  const neuron = neuronOf(golden);
  const x = golden.float('x');
  const coef = golden.float('coef');
  const spikes = golden.float('spikes');
  const w: FloatTensor = golden.tensors.has('w')
    ? golden.float('w')
    : { dtype: 'F32', shape: [], data: Float32Array.of(-Math.log(2 - 1)) }; // LIF with τ = 2
  const [steps, samples] = x.shape as [number, number];

  it('composed: gives the spikes, the potentials and the gradients of PyTorch', () => {
    let v: tf.Tensor = tf.zeros(x.shape.slice(1));
    const potentials: tf.Tensor[] = [];
    for (const current of tf.unstack(tensorOf(x))) {
      v = stepNeuron(v, current, tf.sigmoid(tensorOf(w)), neuron).v;
      potentials.push(v);
    }
    if (golden.tensors.has('v_after')) {
      expect(tf.stack(potentials).dataSync()).toBeAllclose(golden.float('v_after').data, within);
    }

    let fired: tf.Tensor | undefined;
    const [gradX, gradW, gradAlpha] = tf.grads((x, w, alpha) => {
      fired = tf.keep(integrateAndFire(x!, sigmoid(w!), alpha as tf.Scalar, neuron));
      return fired;
    })([tensorOf(x), tensorOf(w), tf.scalar(neuron.surrogate.alpha)], tensorOf(coef));
    expect(fired!.dataSync()).toEqual(spikes.data);
    expect(gradX!.dataSync()).toBeAllclose(golden.float('grad_x').data, within);
    if (golden.tensors.has('grad_w')) {
      expect(gradW!.dataSync()).toBeAllclose(golden.float('grad_w').data, within);
    }
    if (golden.tensors.has('grad_alpha')) {
      expect(gradAlpha!.dataSync()).toBeAllclose(golden.float('grad_alpha').data, within);
    }
  });

  it('typed arrays: give the spikes and the gradients of PyTorch', () => {
    const positions = x.data.length / (steps * samples);
    const run: NeuronRun = {
      steps,
      samples,
      positions,
      channels: 1,
      threshold: neuron.threshold,
      hardReset: neuron.reset.kind === 'hard',
      rest: 0,
      detachReset: neuron.reset.detach,
    };
    const leak = Float64Array.from(
      { length: positions },
      (_, i) => 1 / (1 + Math.exp(-w.data[i % w.data.length]!)),
    );
    expect(fire(x.data, identityAffine(steps), leak, run).spikes).toEqual(spikes.data);

    const { alpha } = neuron.surrogate;
    const gradients = fireBackward(x.data, identityAffine(steps), leak, alpha, coef.data, run);
    expect(gradients.current).toBeAllclose(golden.float('grad_x').data, within);
    if (golden.tensors.has('grad_w')) {
      const byPosition = gradients.leak.map((gradient, i) => gradient * leak[i]! * (1 - leak[i]!));
      const gradW = w.data.length === 1 ? [byPosition.reduce((sum, value) => sum + value)] : byPosition;
      expect(gradW).toBeAllclose(golden.float('grad_w').data, within);
    }
    if (golden.tensors.has('grad_alpha')) {
      expect([gradients.alpha]).toBeAllclose(golden.float('grad_alpha').data, within);
    }
  });
});
