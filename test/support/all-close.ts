import { expect } from 'vitest';

export interface Tolerance {
  /** Largest error relative to the size of the expected value; 1e-5 when left out. */
  readonly relative?: number;
  /** Added to the relative tolerance; `relative` times the largest expected magnitude when left out. */
  readonly absolute?: number;
}

declare module 'vitest' {
  interface Matchers<T> {
    /** Every element within `absolute + relative · |expected|`; the same length. NaN is close to nothing. */
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
    const absolute = tolerance.absolute ?? relative * largest;
    let outside = 0;
    let worst = 0;
    let worstExcess = -1;
    for (let i = 0; i < expected.length; i++) {
      const error = Math.abs((received[i] as number) - (expected[i] as number));
      const excess = error - (absolute + relative * Math.abs(expected[i] as number));
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
          ? `expected some element to differ by more than ${absolute} + ${relative} · |expected|`
          : `${outside} of ${expected.length} elements differ by more than ${absolute} + ${relative} · |expected|; ` +
            `worst at ${worst}: expected ${expected[worst]}, got ${received[worst]}`,
    };
  },
});
