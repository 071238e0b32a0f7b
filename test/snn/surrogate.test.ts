import { describe, expect, it } from 'vitest';
import { surrogates } from '../../src/snn/neurons.ts';

describe.each(Object.entries(surrogates))('the surrogate %s', (_, { value, derivative }) => {
  /** The smooth function whose derivatives replace those of the spike. */
  const smoothSpike = (excess: number, alpha: number): number => value(alpha * excess);

  it.each([
    [0, 2],
    [0.3, 2],
    [-1.2, 2],
    [0.7, 0.5],
    [-0.7, 1],
    [-4, 5],
  ])('gives both derivatives of the smooth spike at u = %d, α = %d', (excess, alpha) => {
    const step = 1e-5;
    const byExcess = (smoothSpike(excess + step, alpha) - smoothSpike(excess - step, alpha)) / (2 * step);
    const byAlpha = (smoothSpike(excess, alpha + step) - smoothSpike(excess, alpha - step)) / (2 * step);
    // The triangle has a kink at u = 0, where central differences are off by the size of the step.
    expect(alpha * derivative(alpha * excess)).toBeCloseTo(byExcess, 4);
    expect(excess * derivative(alpha * excess)).toBeCloseTo(byAlpha, 8);
  });

  it('rises from 0 to 1, through 1/2 at the threshold', () => {
    const values = [-1e9, -1, -0.5, 0, 0.5, 1, 1e9].map(value);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect([values[0], values[3], values.at(-1)]).toEqual([expect.closeTo(0, 8), 0.5, expect.closeTo(1, 8)]);
  });

  it('is symmetric and finite however far the potential is from the threshold', () => {
    for (const z of [0.4, 3, 1e3, 1e9]) {
      expect(derivative(-z)).toBeCloseTo(derivative(z), 12);
      expect(derivative(z)).toBeLessThan(derivative(0));
    }
  });
});

it('has the peaks α/2 (ATan), α/4 (logistic sigmoid) and α (triangle)', () => {
  const peaks = Object.fromEntries(
    Object.entries(surrogates).map(([kind, one]) => [kind, one.derivative(0)]),
  );
  expect(peaks).toEqual({ atan: 1 / 2, sigmoid: 1 / 4, triangle: 1 });
});
