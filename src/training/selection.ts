import { unreachable } from '../errors.ts';
import type { BestEpoch } from './checkpoint.ts';
import type { Compat } from './compat.ts';

/**
 * Whether an epoch replaces the best so far.
 *
 * `validation`: if its validation accuracy is at least as high, so that the latest of ties is kept, as in the original.
 * `best-test`: if its test accuracy is higher, so that the first of ties is kept, like the maximum over epochs that the paper reports;
 * an epoch that was not tested cannot be chosen.
 * `last`: always.
 */
export function isPreferred(
  selection: Compat['selection'],
  candidate: Pick<BestEpoch, 'validationAccuracy' | 'testAccuracy'>,
  best: Pick<BestEpoch, 'validationAccuracy' | 'testAccuracy'> | undefined,
): boolean {
  switch (selection) {
    case 'validation':
      return (
        candidate.validationAccuracy !== null &&
        candidate.validationAccuracy >= (best?.validationAccuracy ?? 0)
      );
    case 'best-test':
      // Without a best so far, any accuracy is preferred, including 0.
      return candidate.testAccuracy !== null && candidate.testAccuracy > (best?.testAccuracy ?? -1);
    case 'last':
      return true;
    default:
      return unreachable(selection);
  }
}
