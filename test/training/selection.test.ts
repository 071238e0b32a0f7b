import { expect, it } from 'vitest';
import { isPreferred } from '../../src/training/epoch.ts';

/**
 * Which epoch is kept.
 *
 * @param epochs their validation and test accuracies in percent, `50/90 75/-`; without the second, the epoch was not tested
 */
function chosen(selection: 'validation' | 'best-test' | 'last', epochs: string) {
  let best: { epoch: number; validationAccuracy: number; testAccuracy: number | null } | undefined;
  epochs.split(' ').forEach((accuracies, epoch) => {
    const [validation = '', test = ''] = accuracies.split('/');
    const testAccuracy = test === '-' ? null : Number(test) / 100;
    const candidate = { epoch, validationAccuracy: Number(validation) / 100, testAccuracy };
    if (isPreferred(selection, candidate, best)) best = candidate;
  });
  return best?.epoch;
}

it.each([
  ['validation', 'the latest of the best', '50/90 75/10 75/20 25/100', 2],
  ['best-test', 'the first of the best, like a maximum', '50/25 10/75 100/75 100/50', 1],
  ['best-test', 'one that was tested', '100/- 100/- 0/0 100/-', 2],
  ['best-test', 'none if none was tested', '100/-', undefined],
  ['last', 'the last, whatever its accuracy', '100/100 0/0', 1],
] as const)('the epoch that is kept by %s is %s', (selection, _, epochs, kept) => {
  expect(chosen(selection, epochs)).toBe(kept);
});
