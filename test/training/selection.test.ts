import { describe, expect, it } from 'vitest';
import { isPreferred } from '../../src/training/epoch.ts';

/** Which epoch is kept of these [validation, test] accuracies. */
function chosen(selection: 'validation' | 'best-test' | 'last', epochs: readonly [number, number | null][]) {
  let best: { epoch: number; validationAccuracy: number; testAccuracy: number | null } | undefined;
  epochs.forEach(([validationAccuracy, testAccuracy], epoch) => {
    const candidate = { epoch, validationAccuracy, testAccuracy };
    if (isPreferred(selection, candidate, best)) best = candidate;
  });
  return best?.epoch;
}

describe('the epoch that is kept', () => {
  it('by validation is the latest of the best', () => {
    expect(
      chosen('validation', [
        [0.5, 0.9],
        [0.75, 0.1],
        [0.75, 0.2],
        [0.25, 1],
      ]),
    ).toBe(2);
  });

  it('by best-test is the first of the best, like a maximum over the epochs', () => {
    expect(
      chosen('best-test', [
        [0.5, 0.25],
        [0.1, 0.75],
        [1, 0.75],
        [1, 0.5],
      ]),
    ).toBe(1);
  });

  it('by best-test is one that was tested', () => {
    expect(
      chosen('best-test', [
        [1, null],
        [1, null],
        [0, 0],
        [1, null],
      ]),
    ).toBe(2);
    expect(chosen('best-test', [[1, null]])).toBe(undefined);
  });

  it('may be the last, whatever its accuracy', () => {
    expect(
      chosen('last', [
        [1, 1],
        [0, 0],
      ]),
    ).toBe(1);
  });
});
