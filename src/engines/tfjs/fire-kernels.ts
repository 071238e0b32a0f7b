import '@tensorflow/tfjs-backend-cpu';
import type { Tensor } from '@tensorflow/tfjs-core';
import { defineCpuKernel, defineGradient, type KernelCall } from './cpu-backend.ts';
import { normAffine, normBackward, type StepNorm, stepStatistics } from './kernels/batch-norm.ts';
import { fireBackward } from './kernels/neuron-backward.ts';
import { fire, identityAffine, type NeuronRun } from './kernels/neuron-forward.ts';
import { swapLastAxes } from './kernels/rearrangement.ts';

export type NeuronAttributes = Omit<NeuronRun, 'samples' | 'positions' | 'channels'>;
type NormNeuronAttributes = NeuronAttributes & { readonly epsilon: number };

/** Isolated neurons: `current`, `leak`, `alpha` to spikes and their rate. */
export const fireKernel = defineCpuKernel<NeuronAttributes>('PlifFire', (call, attributes) => {
  const run = neuronRun(call, attributes, 1);
  return fired(call, fire(call.values('current'), identityAffine(run.steps), leakByPosition(call, run), run));
});

const fireGradientKernel = defineCpuKernel<NeuronAttributes>('PlifFireGradient', (call, attributes) => {
  const run = neuronRun(call, attributes, 1);
  const gradients = fireBackward(
    call.values('current'),
    identityAffine(run.steps),
    leakByPosition(call, run),
    call.values('alpha')[0]!,
    call.values('dy'),
    run,
  );
  return [
    call.output(call.shape('current'), gradients.current),
    leakGradient(call, gradients.leak),
    call.output([], Float32Array.of(gradients.alpha)),
  ];
});

defineGradient(fireKernel, ['current', 'leak', 'alpha'], ([dy], kept, attributes) => {
  const gradients = fireGradientKernel.run({ ...kept, dy: dy! }, attributes);
  return byName(['current', 'leak', 'alpha'], gradients);
});

/** The membrane potentials of isolated neurons after each step, from `current` and `leak`; without a gradient. */
export const potentialsKernel = defineCpuKernel<NeuronAttributes>('PlifPotentials', (call, attributes) => {
  const run = neuronRun(call, attributes, 1);
  const current = call.values('current');
  const potentials = new Float32Array(current.length);
  fire(current, identityAffine(run.steps), leakByPosition(call, run), run, potentials);
  return [call.output(call.shape('current'), potentials)];
});

/** Batch norm per time step, then neurons; also returns the statistics, mean and biased variance, [T, C]. */
export const normaliseAndFireKernel = defineCpuKernel<NormNeuronAttributes>(
  'PlifNormaliseAndFire',
  (call, attributes) => {
    const { run, norm } = normRun(call, attributes);
    const current = call.values('current');
    const statistics = stepStatistics(current, norm);
    const affine = normAffine(statistics, call.values('weight'), call.values('bias'), norm);
    const shape = [norm.steps, norm.channels];
    return [
      ...fired(call, fire(current, affine, leakByPosition(call, run), run)),
      call.output(shape, Float32Array.from(statistics.mean)),
      call.output(shape, Float32Array.from(statistics.variance)),
    ];
  },
);

const normaliseAndFireGradientKernel = defineCpuKernel<NormNeuronAttributes>(
  'PlifNormaliseAndFireGradient',
  (call, attributes) => {
    const { run, norm } = normRun(call, attributes);
    const current = call.values('current');
    const weight = call.values('weight');
    // Recomputed in double precision: the spikes must match the forward pass to the last bit.
    const statistics = stepStatistics(current, norm);
    const affine = normAffine(statistics, weight, call.values('bias'), norm);
    const leak = leakByPosition(call, run);
    const gradients = fireBackward(current, affine, leak, call.values('alpha')[0]!, call.values('dy'), run);
    const { current: dy, sums, productSums } = gradients;
    const norms = normBackward(dy, current, sums, productSums, statistics, weight, norm);
    return [
      call.output(call.shape('current'), dy),
      leakGradient(call, gradients.leak),
      call.output([], Float32Array.of(gradients.alpha)),
      call.output([norm.channels], norms.weight),
      call.output([norm.channels], norms.bias),
    ];
  },
);

const normInputs = ['current', 'leak', 'alpha', 'weight', 'bias'] as const;

defineGradient(normaliseAndFireKernel, normInputs, ([dy], kept, attributes) =>
  byName(normInputs, normaliseAndFireGradientKernel.run({ ...kept, dy: dy! }, attributes)),
);

/** A scale and a shift per channel, the same at every step, then neurons; without a gradient, as only evaluation uses it. */
export const scaleAndFireKernel = defineCpuKernel<NeuronAttributes>(
  'PlifScaleAndFire',
  (call, attributes) => {
    const scale = call.values('scale');
    const shift = call.values('shift');
    const run = neuronRun(call, attributes, scale.length);
    const affine = { scale: repeat(scale, run.steps), shift: repeat(shift, run.steps) };
    return fired(call, fire(call.values('current'), affine, leakByPosition(call, run), run));
  },
);

function neuronRun(call: KernelCall, attributes: NeuronAttributes, channels: number): NeuronRun {
  const [rows = 0, ...rest] = call.shape('current');
  const positions = rest.reduce((product, size) => product * size, 1);
  // `| 0` keeps the loops' indices integers: see `sizes` in kernel-operations.ts.
  const steps = attributes.steps | 0;
  return {
    ...attributes,
    steps,
    samples: (rows / steps) | 0,
    positions: positions | 0,
    channels: channels | 0,
  };
}

function normRun(call: KernelCall, attributes: NormNeuronAttributes): { run: NeuronRun; norm: StepNorm } {
  const channels = call.shape('weight')[0] ?? 1;
  const { epsilon, ...neuron } = attributes;
  return {
    run: neuronRun(call, neuron, channels),
    norm: { steps: neuron.steps, channels, epsilon },
  };
}

/** 1/τ of each position in channels-last order, from [] or PyTorch's [1, C, H, W] or [1, F]. */
function leakByPosition(call: KernelCall, run: NeuronRun): Float64Array {
  const leak = call.values('leak');
  if (leak.length === 1) return new Float64Array(run.positions).fill(leak[0]!);
  const { channels, pixels } = leakLayout(call);
  return Float64Array.from(swapLastAxes(leak, 1, channels, pixels));
}

/** dL/dleak in the shape of `leak`, from one value per position in channels-last order. */
function leakGradient(call: KernelCall, gradient: Float64Array) {
  const shape = call.shape('leak');
  if (call.values('leak').length === 1) {
    return call.output(shape, Float32Array.of(gradient.reduce((sum, value) => sum + value, 0)));
  }
  const { channels, pixels } = leakLayout(call);
  return call.output(shape, swapLastAxes(Float32Array.from(gradient), 1, pixels, channels));
}

function leakLayout(call: KernelCall): { channels: number; pixels: number } {
  const [, channels = 1, ...image] = call.shape('leak');
  return { channels, pixels: image.reduce((product, size) => product * size, 1) };
}

function fired(call: KernelCall, { spikes, count }: { spikes: Float32Array; count: number }) {
  return [
    call.output(call.shape('current'), spikes),
    call.output([], Float32Array.of(count / spikes.length)),
  ];
}

function repeat(values: Float32Array, times: number): Float64Array {
  const repeated = new Float64Array(values.length * times);
  for (let time = 0; time < times; time++) repeated.set(values, time * values.length);
  return repeated;
}

function byName(names: readonly string[], tensors: readonly Tensor[]): Record<string, () => Tensor> {
  return Object.fromEntries(names.map((name, i) => [name, () => tensors[i]!]));
}
