import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createCpuEngine } from '../../../../src/network/engines/tfjs/engine.ts';
import { fire } from '../../../../src/network/engines/tfjs/neuron.ts';
import { restingPotential } from '../../../../src/network/neurons.ts';
import type { NeuronSpec, Reset, Surrogate } from '../../../../src/network/spec.ts';
import '../../../support/all-close.ts';
import { randomArray, randomNumbers } from '../../../support/random.ts';

const steps = 5;
const samples = 2;
const neurons = 6;
const alpha = 1.5;

/** The smooth steps S(z) (snn/neurons.ts), whose derivatives replace that of the spike. */
const smoothSteps: Readonly<Record<Surrogate['kind'], (z: number) => number>> = {
  atan: (z) => Math.atan((Math.PI / 2) * z) / Math.PI + 1 / 2,
  sigmoid: (z) => 1 / (1 + Math.exp(-z)),
  triangle: (z) => (z <= -1 ? 0 : z >= 1 ? 1 : 1 / 2 + z - (Math.sign(z) * z * z) / 2),
};

interface Inputs {
  readonly current: Float64Array;
  readonly logits: Float64Array;
  readonly alpha: Float64Array;
  /** [neurons, neurons], to and from. */
  readonly recurrence: Float64Array;
}

/**
 * The loss Σ coefficients · s with each spike s replaced by `s₀ + S(α · u) − S(α₀ · u₀)`, where s₀, u₀ and α₀ are the values at the
 * point where the gradient is taken: the same value there, but smooth, and its derivative is by definition the surrogate gradient. It
 * uses only S, no backward pass.
 *
 * @param excesses u₀ of each neuron and step; filled in if empty, which makes `inputs` the point where the gradient is taken
 */
function smoothLoss(
  inputs: Inputs,
  coefficients: Float32Array,
  neuron: NeuronSpec,
  excesses: number[],
): number {
  const { threshold, reset } = neuron;
  const value = smoothSteps[neuron.surrogate.kind];
  const rest = restingPotential(neuron);
  const potentials = new Float64Array(samples * neurons).fill(rest);
  const fired: number[] = [];
  let loss = 0;
  inputs.current.forEach((current, i) => {
    const one = i % potentials.length;
    const leak = 1 / (1 + Math.exp(-inputs.logits[i % inputs.logits.length]!));
    const weights = inputs.recurrence.subarray((i % neurons) * neurons, ((i % neurons) + 1) * neurons);
    const before = i - potentials.length - (i % neurons);
    const fedBack = before < 0 ? 0 : weights.reduce((sum, weight, j) => sum + weight * fired[before + j]!, 0);
    const charged = potentials[one]! + (current + fedBack - (potentials[one]! - rest)) * leak;
    const excess = charged - threshold;
    excesses[i] ??= excess;
    const spike = excesses[i]! >= 0 ? 1 : 0;
    const smooth = spike + value(inputs.alpha[0]! * excess) - value(alpha * excesses[i]!);
    fired.push(smooth);
    loss += coefficients[i]! * smooth;
    const resets = reset.detach ? spike : smooth;
    potentials[one] =
      reset.kind === 'hard' ? charged * (1 - resets) + rest * resets : charged - threshold * resets;
  });
  return loss;
}

/** Central differences by each number of one input. */
function differences(loss: (inputs: Inputs) => number, inputs: Inputs, name: keyof Inputs): number[] {
  const step = 1e-5;
  return Array.from(inputs[name], (_, i) => {
    const shifted = (by: number): number => {
      const values = inputs[name].slice();
      values[i]! += by;
      return loss({ ...inputs, [name]: values });
    };
    return (shifted(step) - shifted(-step)) / (2 * step);
  });
}

const resets: readonly Reset[] = [
  { kind: 'hard', potential: 0, detach: true },
  { kind: 'hard', potential: -0.25, detach: false },
  { kind: 'soft', detach: true },
  { kind: 'soft', detach: false },
];
const cases = (Object.keys(smoothSteps) as Surrogate['kind'][]).flatMap((kind) =>
  resets.flatMap((reset) => (['layer', 'neuron'] as const).map((per) => ({ kind, reset, per }))),
);

describe('neurons are differentiated as finite differences of the smooth step are', () => {
  it.each(cases)('$kind, one τ a $per, reset $reset', async ({ kind, reset, per }) => {
    const random = randomNumbers(7);
    const neuron: NeuronSpec = {
      kind: 'plif',
      tau: { per, mean: 2, std: 0 },
      threshold: 0.8,
      reset,
      surrogate: { kind, alpha, learnable: true },
    };
    const current = randomArray(steps * samples * neurons, random, (u) => 4 * u - 1);
    const coefficients = randomArray(steps * samples * neurons, random, (u) => 2 * u - 1);
    const logits = randomArray(per === 'layer' ? 1 : neurons, random, (u) => u - 0.5);
    const inputs: Inputs = {
      current: Float64Array.from(current),
      logits: Float64Array.from(logits),
      alpha: Float64Array.of(alpha),
      recurrence: new Float64Array(neurons * neurons),
    };
    const excesses: number[] = [];
    smoothLoss(inputs, coefficients, neuron, excesses);
    const loss = (shifted: Inputs): number => smoothLoss(shifted, coefficients, neuron, excesses);

    const { spikes, gradients } = await createCpuEngine('test').runNeurons({
      neuron,
      shape: [steps, samples, neurons],
      current,
      coefficients,
      logits,
    });
    expect([...spikes]).toEqual(excesses.map((excess) => (excess >= 0 ? 1 : 0)));
    expect(spikes).toContain(1);
    expect(gradients.current).toBeAllclose(differences(loss, inputs, 'current'));
    expect(gradients.logits).toBeAllclose(differences(loss, inputs, 'logits'));
    expect([gradients.alpha]).toBeAllclose(differences(loss, inputs, 'alpha'));
  });

  it.each(resets)('recurrent, reset $kind $potential, detached: $detach', async (reset) => {
    const random = randomNumbers(8);
    const neuron: NeuronSpec = {
      kind: 'plif',
      tau: { per: 'neuron', mean: 2, std: 0 },
      threshold: 0.8,
      reset,
      surrogate: { kind: 'atan', alpha, learnable: true },
    };
    const current = randomArray(steps * samples * neurons, random, (u) => 4 * u - 1);
    const coefficients = randomArray(steps * samples * neurons, random, (u) => 2 * u - 1);
    const recurrence = randomArray(neurons * neurons, random, (u) => 2 * u - 1);
    const inputs: Inputs = {
      current: Float64Array.from(current),
      logits: new Float64Array(neurons),
      alpha: Float64Array.of(alpha),
      recurrence: Float64Array.from(recurrence),
    };
    const excesses: number[] = [];
    smoothLoss(inputs, coefficients, neuron, excesses);
    const loss = (shifted: Inputs): number => smoothLoss(shifted, coefficients, neuron, excesses);

    await tf.setBackend('cpu');
    const rows = [steps * samples, neurons] as const;
    const { value, grads } = tf.valueAndGrads((current: tf.Tensor, recurrence: tf.Tensor) =>
      fire({
        current,
        steps,
        neuron,
        leak: tf.fill([1, neurons], 1 / 2),
        alpha: tf.scalar(alpha),
        recurrence: recurrence as tf.Tensor2D,
      }),
    )(
      [tf.tensor(current, [...rows]), tf.tensor(recurrence, [neurons, neurons])],
      tf.tensor(coefficients, [...rows]),
    );
    const spikes = [...value.dataSync()];
    expect(spikes).toEqual(excesses.map((excess) => (excess >= 0 ? 1 : 0)));
    expect(spikes).toContain(1);
    expect(grads[0]!.dataSync()).toBeAllclose(differences(loss, inputs, 'current'));
    expect(grads[1]!.dataSync()).toBeAllclose(differences(loss, inputs, 'recurrence'));
  });
});
