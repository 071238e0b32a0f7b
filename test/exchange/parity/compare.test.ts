import { describe, expect, it } from 'vitest';
import { compare, indexOf, type TensorPair } from '../../../src/exchange/parity/compare.ts';
import { floats, whole } from './case-folders.ts';

/** Sums of 2^20 numbers each: 2^-12 of the largest is allowed. */
const pair = (expected: readonly number[], found: readonly number[]): TensorPair => ({
  name: 'a',
  terms: 2 ** 20,
  expected: floats([expected.length], ...expected),
  found: floats([found.length], ...found),
});

describe('compare', () => {
  it('measures errors, and their ratio to the largest expected magnitude', () => {
    const row = compare('values', [pair([1, -8, 0], [1.25, -8.5, 0])]);
    expect(row).toMatchObject({
      values: 3,
      largestAbsoluteError: 0.5,
      largestRelativeError: 0.0625,
      ofTolerance: 256,
      passed: false,
    });
    expect(row.worst).toEqual({ tensor: 'a', index: [1], expected: -8, found: -8.5, tolerance: 2 ** -9 });
  });

  it('allows a small value the rounding error of a large one in its tensor', () => {
    expect(compare('values', [pair([1000, 0.01], [1000, 0.0625])]).passed).toBe(true);
    expect(compare('values', [pair([1000, 0.01], [1000, 0.26])]).passed).toBe(false);
  });

  it('allows no error if all values in the folder are 0, and reports an infinite relative error', () => {
    const row = compare('values', [pair([0, 0], [0, 1e-30])]);
    expect(row).toMatchObject({ passed: false, largestRelativeError: Number.POSITIVE_INFINITY });
  });

  it('treats NaN and infinities as close to nothing, and 0 as equal to -0', () => {
    for (const found of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const row = compare('values', [pair([1, 1], [1, found])]);
      expect(row).toMatchObject({ passed: false, worst: { index: [1], found } });
    }
    const nothing = { ...pair([1], [2]), allowance: Float64Array.of(Number.NaN) };
    expect(compare('values', [nothing]).passed).toBe(false);
    expect(compare('values', [{ ...pair([0], [-0]), terms: 0 }]).passed).toBe(true);
  });

  it('compares integers exactly under any tolerance, even those that a double cannot hold', () => {
    const wide = (value: bigint) => ({ shape: [], data: BigInt64Array.of(value) });
    const row = compare('values', [{ name: 'a', expected: wide(2n ** 60n), found: wide(2n ** 60n + 1n) }]);
    expect(row).toMatchObject({ passed: false, largestAbsoluteError: 1 });
    const allowed = { name: 'a', expected: whole(3), found: whole(4), allowance: Float64Array.of(5) };
    expect(compare('values', [allowed]).passed).toBe(false);
  });

  it('names the element that exceeds its own tolerance most, not the one with the largest error', () => {
    const row = compare('values', [pair([1000], [1000.5]), { ...pair([1], [1.01]), name: 'b' }]);
    expect(row.worst?.tensor).toBe('b');
  });

  it('fails if there is nothing to compare: no tensors, or one without values', () => {
    expect(compare('clips', [])).toMatchObject({
      passed: false,
      reason: 'there is nothing to compare',
    });
    expect(compare('clips', [pair([1], [1]), { ...pair([], []), name: 'b' }])).toMatchObject({
      passed: false,
      reason: 'tensor "b" of shape [0] is empty: there is nothing to compare',
    });
    expect(compare('clips', [{ ...pair([], []), mayBeEmpty: true }]).passed).toBe(true);
    expect(compare('clips', [{ ...pair([], [1]), mayBeEmpty: true }]).passed).toBe(false);
  });

  it.each<[string, Partial<TensorPair>, string]>([
    ['the folder lacks', { expected: undefined }, 'tensor "a" is missing from the folder'],
    ['only the folder has', { found: undefined }, 'the folder has a tensor "a", this program computes none'],
    [
      'has another shape here',
      { found: floats([2], 1, 2) },
      'the folder has shape [1], this program computes [2]',
    ],
    ['has another type here', { expected: whole(1) }, 'the folder has type I64, this program computes F32'],
  ])('names a tensor that %s, and compares the rest', (_, change, reason) => {
    const row = compare('values', [{ ...pair([1], [1]), ...change }, pair([1, 2], [1, 2])]);
    expect(row).toMatchObject({ passed: false, values: 2, reason: expect.stringContaining(reason) });
  });
});

it('indexOf counts in C order', () => {
  expect(indexOf(0, [])).toEqual([]);
  expect(indexOf(23, [2, 3, 4])).toEqual([1, 2, 3]);
  expect(indexOf(13, [2, 3, 4])).toEqual([1, 0, 1]);
});
