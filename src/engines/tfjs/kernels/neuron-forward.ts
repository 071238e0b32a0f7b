import { charge, reset } from '../../../snn/neurons.ts';
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

/**
 * Numbers as machine doubles: an integer, such as a threshold of 1, would be kept as a tagged integer and be checked and converted
 * for every neuron and step.
 */
export function asDoubles(first: number, second: number, third = 0): readonly [number, number, number] {
  const doubles = Float64Array.of(first, second, third);
  return [doubles[0]!, doubles[1]!, doubles[2]!];
}

/** The largest multiple of `channels` up to `blockNeurons`, but at least one pixel. */
export function blockLength(channels: number): number {
  return channels * Math.max(1, Math.floor(blockNeurons / channels));
}
