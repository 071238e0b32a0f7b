import { describe, expect, it } from 'vitest';
import type { TrainingBatch } from '../../../src/engines/engine.ts';
import { createCpuEngine } from '../../../src/engines/tfjs/engine.ts';
import { kernelOperations } from '../../../src/engines/tfjs/kernel-operations.ts';
import { referenceOperations } from '../../../src/engines/tfjs/reference-operations.ts';
import { dropoutLayers } from '../../../src/snn/spec.ts';
import type { State } from '../../../src/snn/tensor.ts';
import { cosineLearningRate } from '../../../src/training/schedule.ts';
import '../../support/all-close.ts';
import { type GoldenCase, goldenCases, loadGolden } from '../../support/golden.ts';
import { networkOf } from '../../support/golden-network.ts';

function batchOf(golden: GoldenCase, step: number): TrainingBatch {
  const x = golden.float('x');
  const [, ...shape] = x.shape as [number, number, number, number, number, number];
  const [samples] = shape;
  const size = shape.reduce((product, length) => product * length, 1);
  const y = golden.tensors.get('y')!;
  return {
    frames: { shape, data: x.data.slice(step * size, (step + 1) * size) },
    labels: Int32Array.from(y.data.slice(step * samples, (step + 1) * samples) as BigInt64Array, Number),
    dropoutMasks: dropoutLayers(networkOf(golden)).map((_, i) => golden.float(`step${step}/mask${i}`).data),
  };
}

/** The same names, shapes and values; `tolerance` is a share of the largest value of each tensor. */
function expectTensors(found: State, expected: State, tolerance: number): void {
  expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, tensor] of expected) {
    const { shape, data } = found.get(name)!;
    expect(shape, name).toEqual(tensor.shape);
    if (tensor.dtype === 'I64') expect(data, name).toEqual(tensor.data);
    else expect(data as Float32Array, name).toBeAllclose(tensor.data, { relative: tolerance });
  }
}

it('the golden set has six networks, and PyTorch by itself gave eight more', () => {
  expect(goldenCases('network').sort()).toEqual([
    'net_attached_reset',
    'net_avg_pool_lif',
    'net_layer_tau',
    'net_learn_alpha',
    'net_neuron_tau',
    'net_neuron_tau_reg',
  ]);
  expect(goldenCases('network', 'torch/').sort()).toEqual([
    'torch/cifar10_dvs',
    'torch/net_sigmoid_soft_reset',
    'torch/net_triangle_tau_reg',
    'torch/nmnist_34',
    'torch/still_cifar10',
    'torch/still_cifar10_average',
    'torch/still_mnist',
    'torch/still_mnist_neuron_tau_reg',
  ]);
});

describe.each([
  ['the kernels', kernelOperations],
  ['the composed operations', referenceOperations],
])('on %s', (_, operations) => {
  it.each([...goldenCases('network'), ...goldenCases('network', 'torch/')])(
    '%s trains three steps to the numbers of PyTorch',
    async (name) => {
      const golden = loadGolden(name);
      const {
        losses,
        lr,
        lr_T_max,
        reg_lambda,
        regularise = 'w',
      } = golden.description as unknown as {
        losses: [number, number, number];
        lr: number;
        lr_T_max: number;
        reg_lambda: number;
        regularise?: 'w' | 'tau';
      };
      const session = await createCpuEngine('test', operations).open(
        networkOf(golden),
        golden.below('init/'),
      );
      for (const [step, loss] of losses.entries()) {
        const learningRate = cosineLearningRate(lr, lr_T_max, step);
        const result = await session.trainStep(
          batchOf(golden, step),
          { learningRate, regulariseTau: reg_lambda, regularise },
          { keepGradients: step === 0 },
        );
        expect(Math.abs(result.loss - loss)).toBeLessThan(1e-5);
        // Rates are counts of spikes by (T · votes): equal to their last bits only if all output spikes are.
        expect(result.rates).toBeAllclose(golden.float(`step${step}/rate`).data, { relative: 1e-6 });
        if (step === 0) expectTensors(result.gradients!, golden.below('step0/grad/'), 1e-4);
        // A step of Adam changes a parameter by up to the learning rate of 1e-3.
        expectTensors(await session.state(), golden.below(`step${step}/state/`), 2e-5);
      }
      const { rates } = await session.evaluate(batchOf(golden, 0).frames);
      expect(rates).toBeAllclose(golden.float('eval/rate').data, { relative: 1e-6 });
      session.dispose();
    },
  );
});
