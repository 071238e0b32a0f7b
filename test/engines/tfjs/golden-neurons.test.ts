import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { sigmoid } from '../../../src/engines/tfjs/differentiable.ts';
import { createCpuEngine } from '../../../src/engines/tfjs/engine.ts';
import { fireBackward } from '../../../src/engines/tfjs/kernels/neuron-backward.ts';
import { fire, identityAffine, type NeuronRun } from '../../../src/engines/tfjs/kernels/neuron-forward.ts';
import { integrateAndFire, stepNeuron } from '../../../src/engines/tfjs/reference/neuron.ts';
import { charge, reset, restingPotential } from '../../../src/snn/neurons.ts';
import '../../support/all-close.ts';
import { type FloatTensor, goldenCases } from '../../support/golden.ts';
import { loadNeuronCase, type NeuronCase } from '../../support/golden-neuron.ts';

/** What an implementation makes of a case: everything that PyTorch was asked for. */
interface Outcome {
  spikes: ArrayLike<number>;
  /** Membrane potentials after the reset, [T, N, ...neurons]. */
  potentials: ArrayLike<number>;
  currentGradient: ArrayLike<number>;
  /** dL/dw for each w, or for LIF, whose τ is fixed, what it would be. */
  logitGradient: ArrayLike<number>;
  alphaGradient: ArrayLike<number>;
}

const tensorOf = ({ data, shape }: FloatTensor): tf.Tensor => tf.tensor(data, [...shape], 'float32');

/** tfjs' own operations, on tensors. */
function runComposed({ neuron, x, logits, coefficients }: NeuronCase): Outcome {
  let potential: tf.Tensor = tf.fill(x.shape.slice(1), restingPotential(neuron));
  const potentials = tf.unstack(tensorOf(x)).map((current) => {
    potential = stepNeuron(potential, current, tf.sigmoid(tensorOf(logits)), neuron).potential;
    return potential;
  });
  let spikes: tf.Tensor | undefined;
  const [currentGradient, logitGradient, alphaGradient] = tf.grads((x, logits, alpha) => {
    spikes = tf.keep(integrateAndFire(x!, sigmoid(logits!), alpha as tf.Scalar, neuron));
    return spikes;
  })([tensorOf(x), tensorOf(logits), tf.scalar(neuron.surrogate.alpha)], tensorOf(coefficients));
  return {
    spikes: spikes!.dataSync(),
    potentials: tf.stack(potentials).dataSync(),
    currentGradient: currentGradient!.dataSync(),
    logitGradient: logitGradient!.dataSync(),
    alphaGradient: alphaGradient!.dataSync(),
  };
}

/** The typed-array kernels, in double precision. */
function runKernels({ neuron, x, logits, coefficients }: NeuronCase): Outcome {
  const [steps, samples] = x.shape as [number, number];
  const positions = x.data.length / (steps * samples);
  const run: NeuronRun = {
    steps,
    samples,
    positions,
    channels: 1,
    threshold: neuron.threshold,
    hardReset: neuron.reset.kind === 'hard',
    rest: restingPotential(neuron),
    detachReset: neuron.reset.detach,
  };
  const leak = Float64Array.from({ length: positions }, (_, i) => leakOf(logits, i));
  const { spikes } = fire(x.data, identityAffine(steps), leak, run);
  // The kernel hands out the potentials of the last step only: take the first 1, 2, … steps.
  const size = samples * positions;
  const potentials = Array.from({ length: steps }, (_, step) => {
    const last = new Float64Array(size);
    const upTo = { ...run, steps: step + 1 };
    fire(x.data.subarray(0, (step + 1) * size), identityAffine(step + 1), leak, upTo, last);
    return [...last];
  }).flat();
  const { alpha } = neuron.surrogate;
  const gradients = fireBackward(x.data, identityAffine(steps), leak, alpha, coefficients.data, run);
  const byPosition = gradients.leak.map((gradient, i) => gradient * leak[i]! * (1 - leak[i]!));
  return {
    spikes,
    potentials,
    currentGradient: gradients.current,
    logitGradient: logits.data.length === 1 ? [byPosition.reduce((sum, one) => sum + one)] : byPosition,
    alphaGradient: [gradients.alpha],
  };
}

/** 1/τ of the neuron at a position. */
const leakOf = (logits: FloatTensor, position: number): number =>
  1 / (1 + Math.exp(-logits.data[position % logits.data.length]!));

/** The equations of one neuron, in numbers: forward only. */
function runEquations({ neuron, x, logits }: NeuronCase): Pick<Outcome, 'spikes' | 'potentials'> {
  const rest = restingPotential(neuron);
  const size = x.data.length / x.shape[0]!;
  const potentials: number[] = [];
  const spikes = Array.from(x.data, (current, i) => {
    const leak = leakOf(logits, i % (size / x.shape[1]!));
    const charged = charge(i < size ? rest : potentials[i - size]!, current, leak, rest);
    potentials.push(reset(charged, neuron.threshold, neuron.reset.kind === 'hard', rest));
    return charged >= neuron.threshold ? 1 : 0;
  });
  return { spikes, potentials };
}

beforeAll(() => {
  createCpuEngine('test');
  tf.setBackend('cpu');
});

it('the golden set has every kind of neuron: 16 PLIF and a LIF', () => {
  const names = Array.from({ length: 16 }, (_, i) => `plif_${String(i).padStart(2, '0')}`);
  expect(goldenCases('neuron').sort()).toEqual(['lif_00', ...names]);
});

describe.each(goldenCases('neuron'))('%s: spikes, potentials and gradients of PyTorch', (name) => {
  const neuronCase = loadNeuronCase(name);
  const { golden, expected } = neuronCase;

  it.each([
    ['the composed operations', runComposed],
    ['the kernels', runKernels],
  ])('by %s', (_, run) => {
    const outcome = run(neuronCase);
    expect(Array.from(outcome.spikes)).toEqual([...golden.float('spikes').data]);
    const potentials = expected.potentials?.data ?? runEquations(neuronCase).potentials;
    expect(outcome.potentials).toBeAllclose(potentials, { relative: 1e-5 });
    expect(outcome.currentGradient).toBeAllclose(golden.float('grad_x').data, { relative: 1e-5 });
    // Sums of up to 720 numbers of both signs, in single precision in PyTorch and in the composed operations.
    if (expected.logitGradient) {
      expect(outcome.logitGradient).toBeAllclose(expected.logitGradient.data, { relative: 1e-4 });
    }
    if (expected.alphaGradient) {
      expect(outcome.alphaGradient).toBeAllclose(expected.alphaGradient.data, { relative: 1e-4 });
    }
  });

  it('by the equations (spikes and potentials)', () => {
    const { spikes, potentials } = runEquations(neuronCase);
    expect(spikes).toEqual([...golden.float('spikes').data]);
    if (expected.potentials) expect(potentials).toBeAllclose(expected.potentials.data, { relative: 1e-5 });
  });
});
