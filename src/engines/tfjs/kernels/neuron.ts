import { charge, reset, surrogates } from '../../../snn/neurons.ts';
import type { Surrogate } from '../../../snn/spec.ts';

/** Spiking neurons over all time steps of a batch. Arrays are [steps, samples, positions], with channels innermost. */
export interface NeuronRun {
  readonly steps: number;
  readonly samples: number;
  /** The number of neurons per sample: H · W · C, or F. */
  readonly positions: number;
  /** The number of channels, each with one scale and shift; divides `positions`. */
  readonly channels: number;
  readonly threshold: number;
  /** A hard reset sets the resting potential, a soft one subtracts the threshold. */
  readonly hardReset: boolean;
  /** The initial potential, also after a hard reset; below the threshold, and 0 if the reset is soft. */
  readonly rest: number;
  /** Whether the gradient ignores the reset. */
  readonly detachReset: boolean;
  /** What replaces the spike's derivative; only for the backward pass. */
  readonly surrogate: Surrogate['kind'];
}

/** Turns the layer's input into the neuron's current: `current · scale + shift`, each [steps, channels]. */
export interface StepAffine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** The number of neurons that go through all steps together, so that their state stays in the first-level cache. */
const blockNeurons = 256;

/** The identity, for neurons without batch norm (one "channel"). */
export function identityAffine(steps: number): StepAffine {
  return { scale: new Float64Array(steps).fill(1), shift: new Float64Array(steps) };
}

/**
 * Forward pass of batch norm's affine and the neuron (`snn/neurons.ts`), fused:
 * `x = current · scale + shift`, charge `h = v + (x − (v − rest)) / τ`, fire `s = h ≥ threshold`, reset `v = rest` if s = 1 (hard) or
 * `v = h − threshold · s` (soft).
 *
 * Loops: block of neurons, sample, step, channel, pixel: a channel's scale and shift stay in registers, and the block's potentials and
 * leaks, in double precision, in one scratch array (one bounds check instead of two).
 *
 * @param leak 1/τ of each position
 * @param potentials if given, receives the membrane potentials after every step's reset, shaped like `current`
 * @returns spikes (0 or 1) and their number
 * @see Fang et al. 2021 (arXiv 2007.05785)
 */
export function fire(
  current: Float32Array,
  { scale, shift }: StepAffine,
  leak: Float64Array,
  run: NeuronRun,
  potentials?: Float32Array,
): { spikes: Float32Array; count: number } {
  const { steps, samples, positions, channels, hardReset } = run;
  const [threshold, rest] = asDoubles(run.threshold, run.rest);
  const spikes = new Float32Array(current.length);
  const block = blockLength(channels);
  const scratch = new Float64Array(2 * block); // potentials, leaks
  let count = 0;
  for (let start = 0; start < positions; start += block) {
    const length = Math.min(block, positions - start);
    scratch.set(leak.subarray(start, start + length), block);
    for (let sample = 0; sample < samples; sample++) {
      scratch.fill(rest, 0, block);
      for (let step = 0; step < steps; step++) {
        const base = (step * samples + sample) * positions + start;
        for (let channel = 0; channel < channels; channel++) {
          const channelScale = scale[step * channels + channel]!;
          const channelShift = shift[step * channels + channel]!;
          for (let i = channel; i < length; i += channels) {
            const charged = charge(
              scratch[i]!,
              current[base + i]! * channelScale + channelShift,
              scratch[block + i]!,
              rest,
            );
            if (charged >= threshold) {
              spikes[base + i] = 1;
              count++;
              scratch[i] = reset(charged, threshold, hardReset, rest);
            } else {
              scratch[i] = charged;
            }
          }
        }
        potentials?.set(scratch.subarray(0, length), base);
      }
    }
  }
  return { spikes, count };
}

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
 * Backward pass of `fire`, through time, by the formulas of `operations/reference-neuron.ts`.
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

/**
 * Numbers as machine doubles: an integer, such as a threshold of 1, would be kept as a tagged integer and be checked and converted
 * for every neuron and step.
 */
function asDoubles(first: number, second: number, third = 0): readonly [number, number, number] {
  const doubles = Float64Array.of(first, second, third);
  return [doubles[0]!, doubles[1]!, doubles[2]!];
}

/** The largest multiple of `channels` up to `blockNeurons`, but at least one pixel. */
function blockLength(channels: number): number {
  return channels * Math.max(1, Math.floor(blockNeurons / channels));
}
