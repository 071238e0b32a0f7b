import { charge, reset, surrogates } from '../../../snn/neurons.ts';
import { asDoubles, blockLength, type NeuronRun, type StepAffine } from './neuron-forward.ts';

interface NeuronGradients {
  /** dL/dx, the gradient by the current after the affine; [steps, samples, positions]. */
  readonly current: Float32Array;
  /** dL/d(1/τ) for each position. */
  readonly leak: Float64Array;
  /** dL/dα, summed over all neurons. */
  readonly alpha: number;
  /** Σ dL/dx over samples and pixels, [steps, channels]. */
  readonly sums: Float64Array;
  /** Σ dL/dx · current over samples and pixels, [steps, channels], for batch norm's backward pass. */
  readonly productSums: Float64Array;
}

/**
 * Backward pass of `fire`, through time.
 *
 * With u = h − threshold and the surrogate's S'(α · u) (`snn/neurons.ts`), for each step from the last to the first, where dL/dv is 0
 * after the last:
 *
 *   dL/ds  += dL/dv · (rest − h) (hard) or −dL/dv · threshold (soft), if the reset is attached
 *   dL/dh   = dL/ds · α · S' + dL/dv · (1 − s) (hard) or + dL/dv (soft)
 *   dL/dα  += dL/ds · u · S'
 *   dL/dx   = dL/dh / τ
 *   dL/d(1/τ) += dL/dh · (x − (v[t−1] − rest))
 *   dL/dv[t−1] = dL/dh · (1 − 1/τ) = dL/dh − dL/dx
 *
 * Loops: block of neurons, then sample; for each, a forward sweep over the steps that keeps every h (recomputed, as storing it between the
 * passes would take 8 bytes per neuron and step), then a backward sweep; each step goes channel by channel. The arithmetic matches
 * the forward pass to the last bit, and so do the spikes.
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
  const [threshold, rest, slope] = asDoubles(run.threshold, run.rest, alpha);
  const { derivative } = surrogates[run.surrogate];
  const gradient = new Float32Array(current.length);
  const leakGradient = new Float64Array(positions);
  const sums = new Float64Array(steps * channels);
  const productSums = new Float64Array(steps * channels);
  let alphaGradient = 0;

  // One scratch array: potentials before the reset (row t + 1 for step t; row 0 is the resting potential, which a reset does not
  // change), then the block's leaks, their gradients, and dL/dv from the following step.
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
          const channelScale = scale[step * channels + channel]!;
          const channelShift = shift[step * channels + channel]!;
          for (let i = channel; i < length; i += channels) {
            const potential = reset(scratch[before + i]!, threshold, hardReset, rest);
            scratch[after + i] = charge(
              potential,
              current[base + i]! * channelScale + channelShift,
              scratch[leaks + i]!,
              rest,
            );
          }
        }
      }
      scratch.fill(0, carried);
      for (let step = steps - 1; step >= 0; step--) {
        const base = (step * samples + sample) * positions + start;
        const before = step * block;
        const after = before + block;
        for (let channel = 0; channel < channels; channel++) {
          const channelScale = scale[step * channels + channel]!;
          const channelShift = shift[step * channels + channel]!;
          let sum = 0;
          let productSum = 0;
          for (let i = channel; i < length; i += channels) {
            const charged = scratch[after + i]!;
            const potentialGradient = scratch[carried + i]!; // dL/dv
            let ofSpike = spikeGradient[base + i]!; // dL/ds
            if (!detachReset) {
              ofSpike += hardReset ? potentialGradient * (rest - charged) : -potentialGradient * threshold;
            }
            const excess = charged - threshold;
            const ofStep = ofSpike * derivative(slope * excess);
            alphaGradient += ofStep * excess;
            const ofCharged = ofStep * slope + (hardReset && charged >= threshold ? 0 : potentialGradient);

            const input = current[base + i]!;
            const potential = reset(scratch[before + i]!, threshold, hardReset, rest);
            const ofCurrent = ofCharged * scratch[leaks + i]!;
            scratch[carried + i] = ofCharged - ofCurrent;
            scratch[leakSums + i]! += ofCharged * (input * channelScale + channelShift - (potential - rest));
            gradient[base + i] = ofCurrent;
            sum += ofCurrent;
            productSum += ofCurrent * input;
          }
          sums[step * channels + channel]! += sum;
          productSums[step * channels + channel]! += productSum;
        }
      }
    }
    leakGradient.set(scratch.subarray(leakSums, leakSums + length), start);
  }
  return { current: gradient, leak: leakGradient, alpha: alphaGradient, sums, productSums };
}
