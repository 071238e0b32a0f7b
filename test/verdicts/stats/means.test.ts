import { describe, expect, it } from 'vitest';
import { movingMean, summarise } from '../../../src/verdicts/stats/means.ts';

describe('summarise', () => {
  it('gives number, mean and extremes', () => {
    expect(summarise([3, 1, 2])).toEqual({ count: 3, mean: 2, min: 1, max: 3 });
  });

  it('keeps equal values free of rounding', () => {
    expect(summarise([0.1, 0.1, 0.1]).mean).toBe(0.1);
  });
});

describe('movingMean', () => {
  it('averages each value with its neighbours, fewer of them towards the ends', () => {
    // The outermost two of a window count half: (1/2 + 2 + 6/2) / 2.
    // At the end, the window shrinks on the right only: (4/2 + 10) / 1.5.
    expect(movingMean([1, 2, 6, 4, 10], 1)).toEqual([1, 2.75, 4.5, 6, 8]);
    expect(movingMean([0, 0, 10, 0, 0], 2)).toEqual([0, 2.5, 2.5, 10 / 3, 2]);
  });

  it('leaves missing values out of the means', () => {
    expect(movingMean([1, null, 3], 1)).toEqual([1, 2, 3]);
    expect(movingMean([null, null, null], 1)).toEqual([null, null, null]);
  });

  it('changes nothing with a reach of 0', () => {
    expect(movingMean([3, 1, 2], 0)).toEqual([3, 1, 2]);
    expect(movingMean([], 5)).toEqual([]);
  });
});
