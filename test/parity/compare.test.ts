import { describe, expect, it } from 'vitest';
import { AdamAllowance } from '../../src/parity/adam-allowance.ts';
import { compare, indexOf, type Pair } from '../../src/parity/compare.ts';
import { floats, whole } from './case-folders.ts';

const pair = (expected: readonly number[], found: readonly number[]): Pair => ({
  name: 'a',
  expected: floats([expected.length], ...expected),
  found: floats([found.length], ...found),
});

describe('compare', () => {
  it('measures errors as such and as shares of the largest expected magnitude', () => {
    const row = compare('values', 'sum', [pair([1, -8, 0], [1.25, -8.5, 0])]);
    expect(row).toMatchObject({
      values: 3,
      largestAbsoluteError: 0.5,
      largestRelativeError: 0.0625,
      passed: false,
    });
    expect(row.worst).toEqual({ tensor: 'a', index: [1], expected: -8, found: -8.5 });
  });

  it('allows a small value what is rounding in a large one of its tensor', () => {
    expect(compare('values', 'sum', [pair([1000, 0.01], [1000, 0.0625])]).passed).toBe(true);
    expect(compare('values', 'sum', [pair([1000, 0.01], [1000, 0.25])]).passed).toBe(false);
  });

  it('allows no error at all where all expected values are 0, and calls its share infinite', () => {
    const row = compare('values', 'sum', [pair([0, 0], [0, 1e-30])]);
    expect(row).toMatchObject({ passed: false, largestRelativeError: Number.POSITIVE_INFINITY });
  });

  it('lets NaN and infinities be close to nothing, and 0 be -0', () => {
    for (const found of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const row = compare('values', 'shared', [pair([1, 1], [1, found])]);
      expect(row).toMatchObject({ passed: false, worst: { index: [1], found } });
    }
    const nothing = { ...pair([1], [2]), allowance: Float64Array.of(Number.NaN) };
    expect(compare('values', 'exact', [nothing]).passed).toBe(false);
    expect(compare('values', 'exact', [pair([0], [-0])]).passed).toBe(true);
  });

  it('holds whole numbers exactly under any tolerance, beyond what a double holds', () => {
    const wide = (value: bigint) => ({ shape: [], data: BigInt64Array.of(value) });
    const row = compare('values', 'shared', [
      { name: 'a', expected: wide(2n ** 60n), found: wide(2n ** 60n + 1n) },
    ]);
    expect(row).toMatchObject({ passed: false, largestAbsoluteError: 1 });
  });

  it('names the element that exceeds its own tolerance most, not the one that is off most', () => {
    const row = compare('values', 'sum', [pair([1000], [1000.05]), { ...pair([1], [1.01]), name: 'b' }]);
    expect(row.worst?.tensor).toBe('b');
  });

  it('fails where there is nothing to compare', () => {
    expect(compare('clips', 'exact', [])).toMatchObject({
      passed: false,
      reason: 'there is nothing to compare',
    });
  });

  it('says what is missing, superfluous or of another shape or type, and compares the rest', () => {
    const missing = compare('values', 'sum', [
      { ...pair([1], [1]), expected: undefined },
      pair([1, 2], [1, 2]),
    ]);
    expect(missing).toMatchObject({ passed: false, values: 2, reason: 'tensor "a" is missing' });
    expect(compare('values', 'sum', [{ ...pair([1], [1]), found: undefined }]).reason).toContain(
      'superfluous',
    );
    expect(compare('values', 'sum', [pair([1], [1, 2])]).reason).toContain('is of shape [1], expected [2]');
    expect(compare('values', 'sum', [{ ...pair([1], [1]), expected: whole(1) }]).reason).toContain(
      'is of type I64, expected F32',
    );
  });
});

it('indexOf counts in C order', () => {
  expect(indexOf(0, [])).toEqual([]);
  expect(indexOf(23, [2, 3, 4])).toEqual([1, 2, 3]);
  expect(indexOf(13, [2, 3, 4])).toEqual([1, 0, 1]);
});

it('AdamAllowance allows a step where a gradient is nothing beside the largest, and next to nothing where it is large', () => {
  const allowance = new AdamAllowance();
  const second = new Map([['a', floats([3], 1e-3, 1e-9, 0)]]); // after one step: gradients of 1, 0.001 and 0
  allowance.addStep(0.01, { step: 1, first: new Map(), second });
  const [large, small, none] = allowance.of('a') ?? [];
  expect(large).toBeCloseTo(0.01 * 1e-4, 10);
  expect(small).toBeCloseTo(0.01 * 1e-1, 6);
  expect(none).toBe(0.01);
  allowance.addStep(0.02, { step: 1, first: new Map(), second });
  expect(allowance.of('a')?.[2]).toBeCloseTo(0.03, 12);
  expect(allowance.of('b')).toBeUndefined();
});
