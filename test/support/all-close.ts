import { expect } from 'vitest';

export interface Tolerance {
  /** Largest error as a share of the largest expected magnitude, or of each expected value if `absolute` is given; default 1e-5. */
  readonly relative?: number;
  /** Largest absolute error in addition to the relative one. */
  readonly absolute?: number;
}

declare module 'vitest' {
  interface Matchers<T> {
    /**
     * Every element within `relative · max |expected|`, or `absolute + relative · |expected|`; lengths must be equal. NaN is close to nothing.
     */
    toBeAllclose(expected: ArrayLike<number>, tolerance?: Tolerance): T;
  }
}

expect.extend({
  toBeAllclose(received: ArrayLike<number>, expected: ArrayLike<number>, tolerance: Tolerance = {}) {
    if (received.length !== expected.length) {
      return { pass: false, message: () => `expected ${expected.length} elements, got ${received.length}` };
    }
    const relative = tolerance.relative ?? 1e-5;
    const largest = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const { absolute } = tolerance;
    const allowed = (value: number): number =>
      absolute === undefined ? relative * largest : absolute + relative * Math.abs(value);
    const limit =
      absolute === undefined
        ? `${relative} · ${largest}, the largest`
        : `${absolute} + ${relative} · |expected|`;
    let outside = 0;
    let worst = 0;
    let worstExcess = -1;
    for (let i = 0; i < expected.length; i++) {
      const error = Math.abs((received[i] as number) - (expected[i] as number));
      const excess = error - allowed(expected[i] as number);
      if (!(excess <= 0)) {
        outside++;
        if (!(excess <= worstExcess)) {
          worst = i;
          worstExcess = Number.isNaN(excess) ? Number.POSITIVE_INFINITY : excess;
        }
      }
    }
    return {
      pass: outside === 0,
      message: () =>
        outside === 0
          ? `expected some element to differ by more than ${limit}`
          : `${outside} of ${expected.length} elements differ by more than ${limit}; ` +
            `worst at ${worst}: expected ${expected[worst]}, got ${received[worst]}`,
    };
  },
});
