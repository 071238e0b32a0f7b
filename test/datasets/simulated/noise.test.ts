import { expect, test } from 'vitest';
import { addBackgroundNoise, addHotPixels } from '../../../src/datasets/simulated/noise.ts';
import { RandomStream } from '../../../src/datasets/simulated/random-stream.ts';

const ARRAY = { width: 128, height: 128, startUs: 5_000_000, endUs: 15_000_000 };

test('background noise has the configured rate and share of ON events, and no favourite pixel', () => {
  const rateHz = 0.2;
  let count = 0;
  let on = 0;
  let left = 0;
  let top = 0;
  const random = new RandomStream(['noise']);
  addBackgroundNoise({ ...ARRAY, rateHz, onShare: 0.7 }, random, (tUs, x, y, p) => {
    expect(Number.isInteger(tUs) && tUs >= ARRAY.startUs && tUs < ARRAY.endUs).toBe(true);
    count++;
    on += p;
    if (x < 64) left++;
    if (y < 64) top++;
  });
  const expected = rateHz * 128 * 128 * 10;
  // A Poisson count: five standard deviations.
  expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(expected));
  const share = (part: number) => part / count;
  const tolerance = (p: number) => 5 * Math.sqrt((p * (1 - p)) / count);
  expect(Math.abs(share(on) - 0.7)).toBeLessThan(tolerance(0.7));
  expect(Math.abs(share(left) - 0.5)).toBeLessThan(tolerance(0.5));
  expect(Math.abs(share(top) - 0.5)).toBeLessThan(tolerance(0.5));
});

test('a rate of 0 makes no noise', () => {
  addBackgroundNoise({ ...ARRAY, rateHz: 0, onShare: 0.5 }, new RandomStream(['none']), () => {
    throw new Error('an event');
  });
});

test('hot pixels fire ON events at 5 to 40 Hz each, at no more places than there are hot pixels', () => {
  const perPixel = new Map<number, number>();
  addHotPixels(ARRAY, 6, new RandomStream(['hot']), (_tUs, x, y, p) => {
    expect(p).toBe(1);
    perPixel.set(y * 128 + x, (perPixel.get(y * 128 + x) ?? 0) + 1);
  });
  expect(perPixel.size).toBe(6);
  for (const count of perPixel.values()) {
    expect(count).toBeGreaterThan(20);
    expect(count).toBeLessThan(600);
  }
});
