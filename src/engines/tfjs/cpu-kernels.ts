import '@tensorflow/tfjs-backend-cpu';
import { defineCpuKernel, defineGradient, type KernelCall } from './cpu-backend.ts';
import { fireKernel, normaliseAndFireKernel, potentialsKernel, scaleAndFireKernel } from './fire-kernels.ts';
import { type AdamStep, adamStep } from './kernels/adam.ts';
import {
  applyAffine,
  gradientSums,
  normAffine,
  normBackward,
  type StepNorm,
  stepStatistics,
} from './kernels/batch-norm.ts';
import { convolve, inputGradient, weightGradient } from './kernels/convolution.ts';
import { type ConvolutionGeometry, outputSize } from './kernels/convolution-geometry.ts';
import {
  averagePool,
  averagePoolGradient,
  maxPool,
  maxPoolGradient,
  type PoolGeometry,
} from './kernels/pooling.ts';
import { maskOverSteps, repeatOverSteps, sumOverSteps, swapLastAxes } from './kernels/rearrangement.ts';

const convolveKernel = defineCpuKernel<ConvolutionGeometry>('PlifConvolve', (call, g) => {
  const { height, width } = outputSize(g);
  const y = convolve(call.values('x'), call.values('weight'), g);
  return [call.output([g.batch, height, width, g.outChannels], y)];
});
const inputGradientKernel = defineCpuKernel<ConvolutionGeometry>('PlifConvolveInputGradient', (call, g) => {
  const dx = inputGradient(call.values('dy'), call.values('weight'), g);
  return [call.output([g.batch, g.height, g.width, g.inChannels], dx)];
});
const weightGradientKernel = defineCpuKernel<ConvolutionGeometry>('PlifConvolveWeightGradient', (call, g) => {
  const dw = weightGradient(call.values('x'), call.values('dy'), g);
  return [call.output([g.outChannels, g.inChannels, g.kernel, g.kernel], dw)];
});
defineGradient(convolveKernel, ['x', 'weight'], ([dy], { x, weight }, g) => ({
  x: () => inputGradientKernel.run({ dy: dy!, weight }, g)[0]!,
  weight: () => weightGradientKernel.run({ x, dy: dy! }, g)[0]!,
}));

interface LinearShape {
  readonly rows: number;
  readonly inFeatures: number;
  readonly outFeatures: number;
}
/** A linear layer is a 1 x 1 convolution of one image with one column per row of the batch. */
const asImage = ({ rows, inFeatures, outFeatures }: LinearShape): ConvolutionGeometry => ({
  batch: 1,
  height: 1,
  width: rows,
  inChannels: inFeatures,
  outChannels: outFeatures,
  kernel: 1,
  padding: 0,
});
const linearKernel = defineCpuKernel<LinearShape>('PlifLinear', (call, shape) => [
  call.output(
    [shape.rows, shape.outFeatures],
    convolve(call.values('x'), call.values('weight'), asImage(shape)),
  ),
]);
const linearInputGradientKernel = defineCpuKernel<LinearShape>('PlifLinearInputGradient', (call, shape) => [
  call.output(
    [shape.rows, shape.inFeatures],
    inputGradient(call.values('dy'), call.values('weight'), asImage(shape)),
  ),
]);
const linearWeightGradientKernel = defineCpuKernel<LinearShape>('PlifLinearWeightGradient', (call, shape) => [
  call.output(
    [shape.outFeatures, shape.inFeatures],
    weightGradient(call.values('x'), call.values('dy'), asImage(shape)),
  ),
]);
defineGradient(linearKernel, ['x', 'weight'], ([dy], { x, weight }, shape) => ({
  x: () => linearInputGradientKernel.run({ dy: dy!, weight }, shape)[0]!,
  weight: () => linearWeightGradientKernel.run({ x, dy: dy! }, shape)[0]!,
}));

const pooledShape = (g: PoolGeometry): number[] => [
  g.batch,
  Math.floor(g.height / g.size),
  Math.floor(g.width / g.size),
  g.channels,
];
const wholeShape = (g: PoolGeometry): number[] => [g.batch, g.height, g.width, g.channels];

const maxPoolKernel = defineCpuKernel<PoolGeometry>('PlifMaxPool', (call, g) => [
  call.output(pooledShape(g), maxPool(call.values('x'), g)),
]);
const maxPoolGradientKernel = defineCpuKernel<PoolGeometry>('PlifMaxPoolGradient', (call, g) => [
  call.output(wholeShape(g), maxPoolGradient(call.values('dy'), call.values('x'), g)),
]);
defineGradient(maxPoolKernel, ['x'], ([dy], { x }, g) => ({
  x: () => maxPoolGradientKernel.run({ dy: dy!, x }, g)[0]!,
}));

const averagePoolKernel = defineCpuKernel<PoolGeometry>('PlifAveragePool', (call, g) => [
  call.output(pooledShape(g), averagePool(call.values('x'), g)),
]);
const averagePoolGradientKernel = defineCpuKernel<PoolGeometry>('PlifAveragePoolGradient', (call, g) => [
  call.output(wholeShape(g), averagePoolGradient(call.values('dy'), g)),
]);
defineGradient(averagePoolKernel, [], ([dy], _, g) => ({
  x: () => averagePoolGradientKernel.run({ dy: dy! }, g)[0]!,
}));

interface Image {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}
const flattenKernel = defineCpuKernel<Image>('PlifFlatten', (call, { batch, height, width, channels }) => [
  call.output(
    [batch, channels * height * width],
    swapLastAxes(call.values('x'), batch, height * width, channels),
  ),
]);
const unflattenKernel = defineCpuKernel<Image>(
  'PlifUnflatten',
  (call, { batch, height, width, channels }) => [
    call.output(
      [batch, height, width, channels],
      swapLastAxes(call.values('x'), batch, channels, height * width),
    ),
  ],
);
defineGradient(flattenKernel, [], ([dy], _, image) => ({
  x: () => unflattenKernel.run({ x: dy! }, image)[0]!,
}));

const maskKernel = defineCpuKernel<object>('PlifMaskOverSteps', (call) => [
  call.output(call.shape('x'), maskOverSteps(call.values('x'), call.values('mask'))),
]);
defineGradient(maskKernel, ['mask'], ([dy], { mask }) => ({
  x: () => maskKernel.run({ x: dy!, mask }, {})[0]!,
}));

interface Repetition {
  readonly steps: number;
}
const repeatKernel = defineCpuKernel<Repetition>('PlifRepeat', (call, { steps }) => {
  const [rows = 0, ...rest] = call.shape('x');
  return [call.output([steps * rows, ...rest], repeatOverSteps(call.values('x'), steps))];
});
const sumOverStepsKernel = defineCpuKernel<Repetition>('PlifSumOverSteps', (call, { steps }) => {
  const [rows = 0, ...rest] = call.shape('dy');
  return [call.output([rows / steps, ...rest], sumOverSteps(call.values('dy'), steps))];
});
defineGradient(repeatKernel, [], ([dy], _, repetition) => ({
  x: () => sumOverStepsKernel.run({ dy: dy! }, repetition)[0]!,
}));

const adamKernel = defineCpuKernel<AdamStep>('PlifAdamStep', (call, step) => {
  const { parameter, first, second } = adamStep(
    call.values('parameter'),
    call.values('gradient'),
    call.values('first'),
    call.values('second'),
    step,
  );
  const shape = call.shape('parameter');
  return [call.output(shape, parameter), call.output(shape, first), call.output(shape, second)];
});

interface NormAttributes {
  readonly steps: number;
  readonly epsilon: number;
}

/** Isolated batch norm per time step: `x`, `weight`, `bias` to the output, and the mean and biased variance, [T, C]. */
const normaliseKernel = defineCpuKernel<NormAttributes>('PlifNormalise', (call, attributes) => {
  const norm = stepNorm(call, attributes);
  const x = call.values('x');
  const statistics = stepStatistics(x, norm);
  const affine = normAffine(statistics, call.values('weight'), call.values('bias'), norm);
  const shape = [norm.steps, norm.channels];
  return [
    call.output(call.shape('x'), applyAffine(x, affine, norm)),
    call.output(shape, Float32Array.from(statistics.mean)),
    call.output(shape, Float32Array.from(statistics.variance)),
  ];
});

const normaliseGradientKernel = defineCpuKernel<NormAttributes>(
  'PlifNormaliseGradient',
  (call, attributes) => {
    const norm = stepNorm(call, attributes);
    const x = call.values('x');
    const weight = call.values('weight');
    const dx = call.values('dy').slice();
    const { sums, productSums } = gradientSums(dx, x, norm);
    const gradients = normBackward(dx, x, sums, productSums, stepStatistics(x, norm), weight, norm);
    return [
      call.output(call.shape('x'), dx),
      call.output([norm.channels], gradients.weight),
      call.output([norm.channels], gradients.bias),
    ];
  },
);

defineGradient(normaliseKernel, ['x', 'weight'], ([dy], kept, attributes) => {
  const [x, weight, bias] = normaliseGradientKernel.run({ ...kept, dy: dy! }, attributes);
  return { x: () => x!, weight: () => weight!, bias: () => bias! };
});

function stepNorm(call: KernelCall, { steps, epsilon }: NormAttributes): StepNorm {
  // `| 0` keeps the loops' indices integers: see `sizes` in kernel-operations.ts.
  return { steps: steps | 0, channels: (call.shape('weight')[0] ?? 1) | 0, epsilon };
}

/** The typed-array kernels. Importing this file registers them with tfjs, whose profiler shows their `name`. */
export const kernels = {
  convolve: convolveKernel,
  linear: linearKernel,
  fire: fireKernel,
  potentials: potentialsKernel,
  normalise: normaliseKernel,
  normaliseAndFire: normaliseAndFireKernel,
  scaleAndFire: scaleAndFireKernel,
  maxPool: maxPoolKernel,
  averagePool: averagePoolKernel,
  flatten: flattenKernel,
  maskOverSteps: maskKernel,
  repeat: repeatKernel,
  adam: adamKernel,
} as const;
