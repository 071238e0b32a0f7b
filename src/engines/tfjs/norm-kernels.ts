import '@tensorflow/tfjs-backend-cpu';
import { defineCpuKernel, defineGradient, type KernelCall } from './cpu-backend.ts';
import {
  applyAffine,
  gradientSums,
  normAffine,
  normBackward,
  type StepNorm,
  stepStatistics,
} from './kernels/batch-norm.ts';

interface NormAttributes {
  readonly steps: number;
  readonly epsilon: number;
}

/** Isolated batch norm per time step: `x`, `weight`, `bias` to the output, and the mean and biased variance, [T, C]. */
export const normaliseKernel = defineCpuKernel<NormAttributes>('PlifNormalise', (call, attributes) => {
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
