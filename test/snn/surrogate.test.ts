import { expect, it } from 'vitest';
import { atanDenominator } from '../../src/snn/surrogate.ts';

/** The smooth function whose derivatives stand in for those of the spike. */
const smoothSpike = (excess: number, alpha: number): number =>
  Math.atan((Math.PI / 2) * alpha * excess) / Math.PI + 0.5;

it.each([
  [0, 2],
  [0.3, 2],
  [-1.2, 2],
  [0.7, 0.5],
  [-4, 5],
])('gives both derivatives of ATan at u = %d, α = %d', (excess, alpha) => {
  const step = 1e-5;
  const byExcess = (smoothSpike(excess + step, alpha) - smoothSpike(excess - step, alpha)) / (2 * step);
  const byAlpha = (smoothSpike(excess, alpha + step) - smoothSpike(excess, alpha - step)) / (2 * step);
  const denominator = atanDenominator(excess, alpha);
  expect(alpha / 2 / denominator).toBeCloseTo(byExcess, 8);
  expect(excess / 2 / denominator).toBeCloseTo(byAlpha, 8);
});
