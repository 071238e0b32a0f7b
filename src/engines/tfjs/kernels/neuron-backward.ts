import { blockLength, type NeuronRun, type StepAffine } from './neuron-forward.ts';

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
 * Loops: sample and block of neurons; in each a forward sweep over the steps that keeps every h (recomputed, not stored between the
 * passes: memory is dearer than arithmetic), then a backward sweep. Bits equal the forward pass, so the spikes do too.
 */
export function fireBackward(
  current: Float32Array,
  { scale, shift }: StepAffine,
  leak: Float64Array,
  alpha: number,
  spikeGradient: Float32Array,
  run: NeuronRun,
): NeuronGradients {
  const { steps, samples, positions, channels, threshold, hardReset, rest, detachReset } = run;
  const slope = (Math.PI / 2) * alpha;
  const gradient = new Float32Array(current.length);
  const leakGradient = new Float64Array(positions);
  const sums = new Float64Array(steps * channels);
  const productSums = new Float64Array(steps * channels);
  let alphaGradient = 0;

  const block = blockLength(channels);
  // Potentials before the reset; row 0 is the state before the first step, row t + 1 belongs to step t.
  const potentials = new Float64Array((steps + 1) * block);
  const carried = new Float64Array(block); // dL/dv of the step behind

  for (let sample = 0; sample < samples; sample++) {
    for (let start = 0; start < positions; start += block) {
      const length = Math.min(block, positions - start);
      potentials.fill(rest, 0, block);
      for (let step = 0; step < steps; step++) {
        const base = (step * samples + sample) * positions + start;
        const row = step * block;
        for (let channel = 0; channel < channels; channel++) {
          const a = scale[step * channels + channel]!;
          const b = shift[step * channels + channel]!;
          for (let i = channel; i < length; i += channels) {
            const last = potentials[row + i]!;
            const v = step > 0 && last >= threshold ? (hardReset ? rest : last - threshold) : last;
            potentials[row + block + i] = v + (current[base + i]! * a + b - (v - rest)) * leak[start + i]!;
          }
        }
      }
      carried.fill(0);
      for (let step = steps - 1; step >= 0; step--) {
        const base = (step * samples + sample) * positions + start;
        const row = step * block;
        for (let channel = 0; channel < channels; channel++) {
          const a = scale[step * channels + channel]!;
          const b = shift[step * channels + channel]!;
          let sum = 0;
          let productSum = 0;
          for (let i = channel; i < length; i += channels) {
            const h = potentials[row + block + i]!;
            const spiked = h >= threshold;
            const dv = carried[i]!;
            let ds = spikeGradient[base + i]!;
            if (!detachReset) ds += hardReset ? dv * (rest - h) : -dv * threshold;
            const u = h - threshold;
            const bent = slope * u;
            const shared = (0.5 * ds) / (1 + bent * bent);
            alphaGradient += shared * u;
            const dh = shared * alpha + (hardReset && spiked ? 0 : dv);

            const input = current[base + i]!;
            const last = potentials[row + i]!;
            const v = step > 0 && last >= threshold ? (hardReset ? rest : last - threshold) : last;
            const k = leak[start + i]!;
            const dx = dh * k;
            carried[i] = dh - dx;
            leakGradient[start + i]! += dh * (input * a + b - (v - rest));
            gradient[base + i] = dx;
            sum += dx;
            productSum += dx * input;
          }
          sums[step * channels + channel]! += sum;
          productSums[step * channels + channel]! += productSum;
        }
      }
    }
  }
  return { current: gradient, leak: leakGradient, alpha: alphaGradient, sums, productSums };
}
