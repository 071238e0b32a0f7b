import { expect, it } from 'vitest';
import { isPreferred } from '../../src/training/epoch.ts';

/** Which epoch is kept of these [validation, test] accuracies. */
function chosen(
  selection: 'validation' | 'best-test' | 'last',
  epochs: readonly (readonly [number, number | null])[],
) {
  let best: { epoch: number; validationAccuracy: number; testAccuracy: number | null } | undefined;
  epochs.forEach(([validationAccuracy, testAccuracy], epoch) => {
    const candidate = { epoch, validationAccuracy, testAccuracy };
    if (isPreferred(selection, candidate, best)) best = candidate;
  });
  return best?.epoch;
}

it.each([
  [
    'validation',
    'the latest of the best',
    [
      [0.5, 0.9],
      [0.75, 0.1],
      [0.75, 0.2],
      [0.25, 1],
    ],
    2,
  ],
  [
    'best-test',
    'the first of the best, like a maximum',
    [
      [0.5, 0.25],
      [0.1, 0.75],
      [1, 0.75],
      [1, 0.5],
    ],
    1,
  ],
  [
    'best-test',
    'one that was tested',
    [
      [1, null],
      [1, null],
      [0, 0],
      [1, null],
    ],
    2,
  ],
  ['best-test', 'none if none was tested', [[1, null]], undefined],
  [
    'last',
    'the last, whatever its accuracy',
    [
      [1, 1],
      [0, 0],
    ],
    1,
  ],
] as const)('the epoch that is kept by %s is %s', (selection, _, epochs, kept) => {
  expect(chosen(selection, epochs)).toBe(kept);
});
