import { describe, expect, it } from 'vitest';
import { wilsonInterval } from '../../../src/verdicts/stats/proportions.ts';

describe('wilsonInterval', () => {
  // scipy.stats.binomtest(successes, trials).proportion_ci(0.95, method='wilson'), SciPy 1.17; the first four are also in
  // table I of Newcombe 1998 (0.2553 to 0.3662, 0.0624 to 0.1605, 0.0000 to 0.1611, 0.0061 to 0.1718).
  it.each([
    [81, 263, 0.2552885198782742, 0.36620957698280004],
    [15, 148, 0.06238639953073629, 0.16048724172330803],
    [0, 20, 0, 0.16112515805281935],
    [1, 29, 0.006113214292762667, 0.17175521879320282],
    [275, 288, 0.9243140652002159, 0.9734336402105203],
    [288, 288, 0.9868371723598932, 1],
    [0, 1, 0, 0.7934506856227626],
    [40, 96, 0.3231156107133069, 0.5166303205963056],
  ])('gives the reference interval for %i of %i', (successes, trials, low, high) => {
    const interval = wilsonInterval(successes, trials);
    expect(interval.low).toBeCloseTo(low, 12);
    expect(interval.high).toBeCloseTo(high, 12);
  });

  it('ends exactly at 0 and at 1', () => {
    expect(wilsonInterval(0, 7).low).toBe(0);
    expect(wilsonInterval(7, 7).high).toBe(1);
  });
});
