import { unreachable } from '../errors.ts';
import type { FrameSize } from './frames.ts';

export type Normalisation = 'frequency' | 'max' | 'norm' | 'sum';

/** The original's lower bound for divisors, so that empty frames stay 0. */
const EPSILON = 1e-5;

/**
 * Normalises counts at load time, each frame and polarity separately, in place.
 *
 * `max`: `c / max(c_max, ε)`. `sum`: `c / max(Σc, ε)`. `norm`: `(c − mean) / √max(s², ε)` with the unbiased variance
 * s². `frequency`: `c / duration`, events per µs; a frame without duration counts as 1 µs.
 *
 * @param frames [T, 2, H, W] of one clip
 * @param durationsUs [T]; only for `frequency`
 * @throws {RangeError} if they are missing for `frequency`
 */
export function normaliseFrames(
  frames: Float32Array,
  size: FrameSize,
  kind: Normalisation,
  durationsUs: Float64Array | null = null,
): void {
  const length = size.height * size.width;
  if (kind === 'frequency' && durationsUs?.length !== frames.length / (2 * length)) {
    throw new RangeError('frequency needs one duration per frame');
  }
  for (let map = 0; map * length < frames.length; map++) {
    const counts = frames.subarray(map * length, (map + 1) * length);
    const [shift, divisor] = shiftAndDivisor(counts, kind, durationsUs?.[map >> 1] ?? 0);
    for (let i = 0; i < length; i++) counts[i] = (counts[i]! - shift) / divisor;
  }
}

function shiftAndDivisor(counts: Float32Array, kind: Normalisation, durationUs: number): [number, number] {
  switch (kind) {
    case 'frequency':
      return [0, Math.max(durationUs, 1)];
    case 'max':
      return [
        0,
        Math.max(
          counts.reduce((a, b) => Math.max(a, b), 0),
          EPSILON,
        ),
      ];
    case 'sum':
      return [0, Math.max(sum(counts), EPSILON)];
    case 'norm': {
      const mean = sum(counts) / counts.length;
      const squares = counts.reduce((total, count) => total + (count - mean) ** 2, 0);
      return [mean, Math.sqrt(Math.max(squares / (counts.length - 1), EPSILON))];
    }
    default:
      return unreachable(kind);
  }
}

function sum(counts: Float32Array): number {
  return counts.reduce((total, count) => total + count, 0);
}
