import type { StepAffine } from './neuron.ts';

/** Batch norm that treats every time step as a separate batch. Arrays are [steps, rows, channels], rows = samples · H · W. */
export interface StepNorm {
  readonly steps: number;
  readonly channels: number;
  readonly epsilon: number;
}

/** Mean and biased variance of each step and channel, [steps, channels]. */
interface StepStatistics {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** The number of rows processed channel by channel, so that a channel's values stay in registers and the rows in the cache. */
const blockRows = 256;

/**
 * Mean and variance in one pass over y: `Σy / rows` and `Σy² / rows − mean²`.
 *
 * In single precision the difference would cancel. In double precision, in which squares of singles are exact, it is off by about
 * 1e-16 · mean²: by less than a millionth of the variance even if the mean is 10,000 standard deviations.
 */
export function stepStatistics(y: Float32Array, { steps, channels }: StepNorm): StepStatistics {
  const rows = y.length / (steps * channels);
  const mean = new Float64Array(steps * channels);
  const variance = new Float64Array(steps * channels);
  for (let step = 0; step < steps; step++) {
    const base = step * channels;
    for (let row = 0; row < rows; row += blockRows) {
      const end = (step * rows + Math.min(rows, row + blockRows)) * channels;
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        let squares = 0;
        for (let at = (step * rows + row) * channels + channel; at < end; at += channels) {
          const value = y[at]!;
          sum += value;
          squares += value * value;
        }
        mean[base + channel]! += sum;
        variance[base + channel]! += squares;
      }
    }
    for (let i = base; i < base + channels; i++) {
      const average = mean[i]! / rows;
      mean[i] = average;
      variance[i] = Math.max(0, variance[i]! / rows - average * average);
    }
  }
  return { mean, variance };
}

/** `(y − mean) / √(variance + ε) · weight + bias` as a scale and a shift per step and channel. */
export function normAffine(
  { mean, variance }: StepStatistics,
  weight: Float32Array,
  bias: Float32Array,
  { steps, channels, epsilon }: StepNorm,
): StepAffine {
  const scale = new Float64Array(steps * channels);
  const shift = new Float64Array(steps * channels);
  for (let i = 0; i < scale.length; i++) {
    scale[i] = weight[i % channels]! / Math.sqrt(variance[i]! + epsilon);
    shift[i] = bias[i % channels]! - mean[i]! * scale[i]!;
  }
  return { scale, shift };
}

/** `y · scale + shift` for each step and channel, for isolated batch norm; if neurons follow, `fire` does this. */
export function applyAffine(
  y: Float32Array,
  { scale, shift }: StepAffine,
  { steps, channels }: StepNorm,
): Float32Array {
  const values = new Float32Array(y.length);
  const size = y.length / steps;
  for (let step = 0; step < steps; step++) {
    const base = step * channels;
    for (let row = step * size; row < (step + 1) * size; row += channels) {
      for (let channel = 0; channel < channels; channel++) {
        values[row + channel] = y[row + channel]! * scale[base + channel]! + shift[base + channel]!;
      }
    }
  }
  return values;
}

/** What `normBackward` needs from the gradient g = dL/d(output): Σ g and Σ g · y for each step and channel. */
export function gradientSums(
  gradient: Float32Array,
  y: Float32Array,
  { steps, channels }: StepNorm,
): { sums: Float64Array; productSums: Float64Array } {
  const sums = new Float64Array(steps * channels);
  const productSums = new Float64Array(steps * channels);
  const size = y.length / steps;
  for (let step = 0; step < steps; step++) {
    const base = step * channels;
    for (let row = step * size; row < (step + 1) * size; row += channels) {
      for (let channel = 0; channel < channels; channel++) {
        const ofOutput = gradient[row + channel]!;
        sums[base + channel]! += ofOutput;
        productSums[base + channel]! += ofOutput * y[row + channel]!;
      }
    }
  }
  return { sums, productSums };
}

/**
 * Backward pass of batch norm, with ŷ = (y − mean) · r and r = 1 / √(variance + ε):
 * `dL/dy = weight · r · (g − Σg / rows − ŷ · Σ(g · ŷ) / rows)`, `dL/dweight = Σ g · ŷ`, `dL/dbias = Σ g`, summed over the steps.
 *
 * @param gradient g = dL/d(output), [steps, rows, channels]; overwritten with dL/dy
 * @returns gradients of weight and bias
 */
export function normBackward(
  gradient: Float32Array,
  y: Float32Array,
  { sums, productSums }: ReturnType<typeof gradientSums>,
  { mean, variance }: StepStatistics,
  weight: Float32Array,
  { steps, channels, epsilon }: StepNorm,
): [weight: Float32Array, bias: Float32Array] {
  const rows = y.length / (steps * channels);
  const weightGradient = new Float64Array(channels);
  const biasGradient = new Float64Array(channels);
  // dL/dy = slope · g + tilt · y + offset
  const slope = new Float64Array(channels);
  const tilt = new Float64Array(channels);
  const offset = new Float64Array(channels);
  for (let step = 0; step < steps; step++) {
    for (let channel = 0; channel < channels; channel++) {
      const i = step * channels + channel;
      const r = 1 / Math.sqrt(variance[i]! + epsilon);
      const total = sums[i]!;
      const projection = (productSums[i]! - mean[i]! * total) * r; // Σ g · ŷ
      weightGradient[channel]! += projection;
      biasGradient[channel]! += total;
      slope[channel] = weight[channel]! * r;
      tilt[channel] = (-slope[channel]! * r * projection) / rows;
      offset[channel] = (-slope[channel]! * total) / rows - tilt[channel]! * mean[i]!;
    }
    for (let row = 0; row < rows; row += blockRows) {
      const end = (step * rows + Math.min(rows, row + blockRows)) * channels;
      for (let channel = 0; channel < channels; channel++) {
        const a = slope[channel]!;
        const b = tilt[channel]!;
        const c = offset[channel]!;
        for (let at = (step * rows + row) * channels + channel; at < end; at += channels) {
          gradient[at] = a * gradient[at]! + b * y[at]! + c;
        }
      }
    }
  }
  return [Float32Array.from(weightGradient), Float32Array.from(biasGradient)];
}
