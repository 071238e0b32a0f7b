import { expect, test } from 'vitest';
import { RandomStream } from '../../../src/data/simulated/random-stream.ts';
import { addBackgroundNoise, addHotPixels, VisionSensor } from '../../../src/data/simulated/sensor.ts';

interface Event {
  readonly tUs: number;
  readonly x: number;
  readonly y: number;
  readonly p: number;
}

/** A 2 x 2 sensor in which only the pixel at (1, 0) sees the levels; its thresholds are exact in binary. */
function watch(
  levels: readonly number[],
  options: { refractoryUs?: number; common?: readonly number[]; stepUs?: number } = {},
): Event[] {
  const { refractoryUs = 0, common = levels.map(() => 0), stepUs = 1000 } = options;
  const events: Event[] = [];
  const image = (level: number) => Float32Array.of(0, level, 0, 0);
  const pixels = {
    width: 2,
    height: 2,
    onThreshold: Float32Array.of(10, 0.25, 10, 10),
    offThreshold: Float32Array.of(10, 0.5, 10, 10),
    refractoryUs,
  };
  const sensor = new VisionSensor(
    pixels,
    image(levels[0]!),
    0,
    (tUs, x, y, p) => events.push({ tUs, x, y, p }),
    common[0]!,
  );
  for (let i = 1; i < levels.length; i++) sensor.advance(image(levels[i]!), i * stepUs, common[i]!);
  return events;
}

const on = (tUs: number): Event => ({ tUs, x: 1, y: 0, p: 1 });
const off = (tUs: number): Event => ({ tUs, x: 1, y: 0, p: 0 });

test('a rise of 1 at a threshold of 0.25 makes four ON events, evenly spaced', () => {
  expect(watch([0, 1])).toEqual([on(250), on(500), on(750), on(1000)]);
});

test('a fall of 1 at a threshold of 0.5 makes two OFF events', () => {
  expect(watch([0, -1])).toEqual([off(500), off(1000)]);
});

test('event times between images are interpolated linearly and rounded down to µs', () => {
  // 0.25 of 0.6: 416.67 µs; 0.5 of 0.6: 833.33 µs.
  expect(watch([0, 0.6])).toEqual([on(416), on(833)]);
});

test('after an ON event the pixel counts from the new level', () => {
  // ON at 0.25; from 0.25 down, OFF at −0.25: half of the fall from 0.25 to −0.75.
  expect(watch([0, 0.25, -0.75])).toEqual([on(1000), off(1500), off(2000)]);
});

test('a pixel is silent during the refractory period and then counts from the level at its end', () => {
  // 1 in 1000 µs: ON at 250 (level 0.25), held until 350 (0.35), so the next at 0.60, held until 700 (0.70), then 0.95.
  expect(watch([0, 1], { refractoryUs: 100 })).toEqual([on(250), on(600), on(950)]);
});

test('a refractory period continues into the next image', () => {
  // ON at 250, held until 1125; there the level is 1.125, and 1.375 comes at 1375, held until 2250.
  expect(watch([0, 1, 2, 2], { refractoryUs: 875 })).toEqual([on(250), on(1375)]);
});

test('flicker common to all pixels adds to the level at both ends of an interval', () => {
  expect(watch([0, 0], { common: [0, 0.5] })).toEqual([on(500), on(1000)]);
  expect(watch([0, 0.5], { common: [0.5, 0] })).toEqual([]);
});

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
