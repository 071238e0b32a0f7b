/** Adam's constants and progress; PyTorch's defaults are β 0.9 and 0.999, ε 1e-8. */
export interface AdamStep {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** The number of this step, from 1. */
  readonly step: number;
}

/**
 * One step of Adam on one parameter, as in PyTorch:
 * `m = β1·m + (1 − β1)·g`, `v = β2·v + (1 − β2)·g²`, `p −= lr / (1 − β1ᵗ) · m / (√v / √(1 − β2ᵗ) + ε)`.
 *
 * @returns new parameter, first and second moment
 */
export function adamStep(
  parameter: Float32Array,
  gradient: Float32Array,
  first: Float32Array,
  second: Float32Array,
  { learningRate, beta1, beta2, epsilon, step }: AdamStep,
): [parameter: Float32Array, first: Float32Array, second: Float32Array] {
  const size = learningRate / (1 - beta1 ** step);
  const correction = Math.sqrt(1 - beta2 ** step);
  const p = new Float32Array(parameter.length);
  const m = new Float32Array(parameter.length);
  const v = new Float32Array(parameter.length);
  for (let i = 0; i < p.length; i++) {
    const g = gradient[i]!;
    const mean = beta1 * first[i]! + (1 - beta1) * g;
    const square = beta2 * second[i]! + (1 - beta2) * g * g;
    m[i] = mean;
    v[i] = square;
    p[i] = parameter[i]! - (size * mean) / (Math.sqrt(square) / correction + epsilon);
  }
  return [p, m, v];
}
