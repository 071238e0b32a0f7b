import { describe, expect, it } from 'vitest';
import { summarise } from '../../src/stats/means.ts';

describe('summarise', () => {
  it('gives number, mean and extremes', () => {
    expect(summarise([3, 1, 2])).toEqual({ count: 3, mean: 2, min: 1, max: 3 });
  });

  it('keeps equal values free of rounding', () => {
    expect(summarise([0.1, 0.1, 0.1]).mean).toBe(0.1);
  });

  it('rejects an empty list', () => {
    expect(() => summarise([])).toThrow('no values');
  });
});
