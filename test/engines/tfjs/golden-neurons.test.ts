import { describe, expect, it } from 'vitest';
import { createCpuEngine } from '../../../src/engines/tfjs/engine.ts';
import { kernelOperations } from '../../../src/engines/tfjs/kernel-operations.ts';
import { referenceOperations } from '../../../src/engines/tfjs/reference-operations.ts';
import { charge, reset, restingPotential } from '../../../src/snn/neurons.ts';
import '../../support/all-close.ts';
import { goldenCases } from '../../support/golden.ts';
import { loadNeuronCase, type NeuronCase } from '../../support/golden-neuron.ts';

/** 1/τ of the neuron at a position. */
const leakOf = ({ data }: NeuronCase['logits'], position: number): number =>
  1 / (1 + Math.exp(-data[position % data.length]!));

/** The equations of one neuron, in numbers: forward only. */
function runEquations({ neuron, x, logits }: NeuronCase): { spikes: number[]; potentials: number[] } {
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

it('the golden set has every kind of neuron: 16 PLIF and a LIF', () => {
  const names = Array.from({ length: 16 }, (_, i) => `plif_${String(i).padStart(2, '0')}`);
  expect(goldenCases('neuron').sort()).toEqual(['lif_00', ...names]);
});

it('the vectors of plain PyTorch have each of the other surrogates, learned and not', () => {
  const kinds = goldenCases('neuron', 'torch/').map((name) => loadNeuronCase(name).neuron.surrogate);
  for (const kind of ['sigmoid', 'triangle']) {
    const learnable = kinds.filter((one) => one.kind === kind).map((one) => one.learnable);
    expect(learnable.sort(), kind).toEqual([false, false, true, true]);
  }
});

const names = [...goldenCases('neuron'), ...goldenCases('neuron', 'torch/')];

describe.each(names)('%s: spikes, potentials and gradients of PyTorch', (name) => {
  const neuronCase = loadNeuronCase(name);
  const { golden, expected } = neuronCase;

  it.each([
    ['the composed operations', referenceOperations],
    ['the kernels', kernelOperations],
  ])('by %s', async (_, operations) => {
    const { neuron, x, logits, coefficients } = neuronCase;
    const { spikes, potentials, gradients } = await createCpuEngine('test', operations).runNeurons({
      neuron,
      shape: x.shape,
      current: x.data,
      coefficients: coefficients.data,
      logits: logits.data,
    });
    expect(spikes).toEqual(golden.float('spikes').data);
    const expectedPotentials = expected.potentials?.data ?? runEquations(neuronCase).potentials;
    expect(potentials).toBeAllclose(expectedPotentials, { relative: 1e-5 });
    expect(gradients.current).toBeAllclose(golden.float('grad_x').data, { relative: 1e-5 });
    // Sums of up to 720 numbers of both signs, in single precision in PyTorch and in the composed operations.
    if (expected.logitGradient) {
      expect(gradients.logits).toBeAllclose(expected.logitGradient.data, { relative: 1e-4 });
    }
    if (expected.alphaGradient) {
      expect([gradients.alpha]).toBeAllclose(expected.alphaGradient.data, { relative: 1e-4 });
    }
  });

  it('by the equations (spikes and potentials)', () => {
    const { spikes, potentials } = runEquations(neuronCase);
    expect(spikes).toEqual([...golden.float('spikes').data]);
    if (expected.potentials) expect(potentials).toBeAllclose(expected.potentials.data, { relative: 1e-5 });
  });
});
