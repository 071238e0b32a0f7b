import { expect, test } from 'vitest';
import { RandomStream } from '../../../src/data/simulated/random-stream.ts';

function draw<T>(count: number, next: () => T): T[] {
  return Array.from({ length: count }, next);
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test('a name gives the same numbers every time and another name different ones', () => {
  const words = (name: (string | number)[]) => {
    const random = new RandomStream(name);
    return draw(8, () => random.word());
  };
  expect(words([1, 'noise'])).toEqual(words([1, 'noise']));
  expect(words([1, 'noise'])).not.toEqual(words([2, 'noise']));
  expect(words(['a', 'bc'])).not.toEqual(words(['ab', 'c']));
  expect(words(['a'])).not.toEqual(words(['a', '']));
});

test('the generator is sfc32: its output and next state follow from the state by the published rule', () => {
  // The rule on BigInt, from the same state: absorbing the empty name leaves a = b = c = 0, counter = 1.
  const mask = 0xffffffffn;
  let [a, b, c, counter] = [0n, 0n, 0n, 1n];
  const next = () => {
    const sum = (a + b + counter) & mask;
    counter = (counter + 1n) & mask;
    a = b ^ (b >> 9n);
    b = (c + (c << 3n)) & mask;
    c = (((c << 21n) | (c >> 11n)) + sum) & mask;
    return Number(sum);
  };
  draw(15, next);
  const random = new RandomStream([]);
  expect(draw(1000, () => random.word())).toEqual(draw(1000, next));
});

test('uniform, normal and exponential numbers have the moments of their distributions', () => {
  const random = new RandomStream(['moments']);
  const count = 40_000;
  const uniform = draw(count, () => random.uniform());
  expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...uniform)).toBeLessThan(1);
  // Five standard errors each.
  expect(Math.abs(mean(uniform) - 0.5)).toBeLessThan((5 * Math.sqrt(1 / 12)) / Math.sqrt(count));
  const normal = draw(count, () => random.normal());
  expect(Math.abs(mean(normal))).toBeLessThan(5 / Math.sqrt(count));
  expect(Math.abs(mean(normal.map((z) => z * z)) - 1)).toBeLessThan((5 * Math.SQRT2) / Math.sqrt(count));
  const exponential = draw(count, () => random.exponential());
  expect(Math.abs(mean(exponential) - 1)).toBeLessThan(5 / Math.sqrt(count));
  expect(Math.abs(mean(exponential.map((z) => z * z)) - 2)).toBeLessThan(
    (5 * Math.sqrt(20)) / Math.sqrt(count),
  );
});

test('integers and chances have the requested frequencies', () => {
  const random = new RandomStream(['dice']);
  const faces = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < 6000; i++) faces[random.integer(6)]!++;
  for (const face of faces) expect(Math.abs(face - 1000)).toBeLessThan(150);
  expect(draw(100, () => random.chance(0))).not.toContain(true);
  expect(draw(100, () => random.chance(1))).not.toContain(false);
});
