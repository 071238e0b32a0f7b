import { asDoubles, blockLength, type NeuronRun, type StepAffine } from './neuron-forward.ts';

export interface NeuronGradients {
  /** dL/dx, the gradient with respect to the current after the affine; [steps, samples, positions]. */
  readonly current: Float32Array;
  /** dL/d(1/τ) of each position. */
  readonly leak: Float64Array;
  /** dL/dα, summed over all neurons. */
  readonly alpha: number;
  /** Σ dL/dx over samples and pixels, [steps, channels]. */
  readonly sums: Float64Array;
  /** Σ dL/dx · current over samples and pixels, [steps, channels]: what batch norm's backward needs. */
  readonly productSums: Float64Array;
}

/**
 * Backward pass of `fire`, through time.
 *
 * With u = h − threshold, q = 1 + (π/2 · α · u)² and the spike's surrogate derivatives ds/dh = (α/2) / q and ds/dα = (u/2) / q:
 * `dL/dh = gs · ds/dh + dL/dv · (1 − s)` (hard; without the factor when soft) and, going one step back,
 * `dL/dx = dL/dh · leak`, `dL/dv = dL/dh · (1 − leak)`, `dL/dleak += dL/dh · (x − (v − rest))`.
 * gs is dL/ds, plus dL/dv · (rest − h) (hard) or − dL/dv · threshold (soft) where the reset is not detached.
 *
 * Loops: block of neurons and sample; in each a forward sweep over the steps that keeps every h (computed again, not stored between the
 * passes: memory is dearer than arithmetic), then a backward sweep; each step goes channel by channel. Bits equal the forward pass, so
 * the spikes do too.
 */
export function fireBackward(
  current: Float32Array,
  { scale, shift }: StepAffine,
  leak: Float64Array,
  alpha: number,
  spikeGradient: Float32Array,
  run: NeuronRun,
): NeuronGradients {
  const { steps, samples, positions, channels, hardReset, detachReset } = run;
  const [threshold, rest] = asDoubles(run.threshold, run.rest);
  const [slope, halfAlpha] = asDoubles((Math.PI / 2) * alpha, alpha / 2);
  const gradient = new Float32Array(current.length);
  const leakGradient = new Float64Array(positions);
  const sums = new Float64Array(steps * channels);
  const productSums = new Float64Array(steps * channels);
  let alphaGradient = 0;

  // One scratch array: potentials before the reset (row 0 is the state before the first step, row t + 1 belongs to step t), then the
  // block's leaks, their gradients, and dL/dv as it comes from the step behind.
  const block = blockLength(channels);
  const scratch = new Float64Array((steps + 4) * block);
  const leaks = (steps + 1) * block;
  const leakSums = leaks + block;
  const carried = leakSums + block;

  for (let start = 0; start < positions; start += block) {
    const length = Math.min(block, positions - start);
    scratch.set(leak.subarray(start, start + length), leaks);
    scratch.fill(0, leakSums, carried);
    for (let sample = 0; sample < samples; sample++) {
      scratch.fill(rest, 0, block);
      for (let step = 0; step < steps; step++) {
        const base = (step * samples + sample) * positions + start;
        const before = step * block;
        const after = before + block;
        for (let channel = 0; channel < channels; channel++) {
          const a = scale[step * channels + channel]!;
          const b = shift[step * channels + channel]!;
          for (let i = channel; i < length; i += channels) {
            const last = scratch[before + i]!;
            const v = step > 0 && last >= threshold ? (hardReset ? rest : last - threshold) : last;
            scratch[after + i] = v + (current[base + i]! * a + b - (v - rest)) * scratch[leaks + i]!;
          }
        }
      }
      scratch.fill(0, carried);
      for (let step = steps - 1; step >= 0; step--) {
        const base = (step * samples + sample) * positions + start;
        const before = step * block;
        const after = before + block;
        for (let channel = 0; channel < channels; channel++) {
          const a = scale[step * channels + channel]!;
          const b = shift[step * channels + channel]!;
          let sum = 0;
          let productSum = 0;
          for (let i = channel; i < length; i += channels) {
            const h = scratch[after + i]!;
            const dv = scratch[carried + i]!;
            let ds = spikeGradient[base + i]!;
            if (!detachReset) ds += hardReset ? dv * (rest - h) : -dv * threshold;
            const u = h - threshold;
            const bent = slope * u;
            const shared = ds / (1 + bent * bent);
            alphaGradient += shared * u;
            const dh = shared * halfAlpha + (hardReset && h >= threshold ? 0 : dv);

            const input = current[base + i]!;
            const last = scratch[before + i]!;
            const v = step > 0 && last >= threshold ? (hardReset ? rest : last - threshold) : last;
            const dx = dh * scratch[leaks + i]!;
            scratch[carried + i] = dh - dx;
            scratch[leakSums + i]! += dh * (input * a + b - (v - rest));
            gradient[base + i] = dx;
            sum += dx;
            productSum += dx * input;
          }
          sums[step * channels + channel]! += sum;
          productSums[step * channels + channel]! += productSum;
        }
      }
    }
    leakGradient.set(scratch.subarray(leakSums, leakSums + length), start);
  }
  return { current: gradient, leak: leakGradient, alpha: alphaGradient / 2, sums, productSums };
}
