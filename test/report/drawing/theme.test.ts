import { describe, expect, it } from 'vitest';
import { logTicks } from '../../../src/report/drawing/theme.ts';

describe('the ticks of a logarithmic axis', () => {
  it('are powers of ten over many decades', () => {
    expect(logTicks([0.00005, 0.5])).toEqual([0.0001, 0.001, 0.01, 0.1]);
  });

  it('are also doubles and fivefolds over few decades', () => {
    expect(logTicks([0.004, 0.12])).toEqual([0.005, 0.01, 0.02, 0.05, 0.1]);
  });

  it('are all digits below one decade', () => {
    expect(logTicks([0.043, 0.095])).toEqual([0.05, 0.06, 0.07, 0.08, 0.09]);
    expect(logTicks([0.075, 0.24])).toEqual([0.08, 0.09, 0.1, 0.2]);
  });

  it('are left to the axis where even those are too few', () => {
    expect(logTicks([0.061, 0.079])).toBeNull();
    expect(logTicks([0.2, 0.2])).toBeNull();
  });
});
