import { unreachable } from '../errors.ts';
import type { BestEpoch } from './checkpoint.ts';
import type { Compat } from './compat.ts';

/**
 * Whether an epoch takes the place of the best so far.
 *
 * `validation`: at least its validation accuracy, so that the latest of ties is kept, as the original keeps its checkpoint.
 * `best-test`: more than its accuracy on the test clips, so that the first of ties is kept, as a maximum over the epochs is reported;
 * an epoch that was not tested cannot be chosen.
 */
export function isPreferred(
  selection: Compat['selection'],
  candidate: Pick<BestEpoch, 'validationAccuracy' | 'testAccuracy'>,
  best: Pick<BestEpoch, 'validationAccuracy' | 'testAccuracy'> | undefined,
): boolean {
  switch (selection) {
    case 'validation':
      return best === undefined || candidate.validationAccuracy >= best.validationAccuracy;
    case 'best-test':
      // With no best so far, any accuracy is one, 0 among them.
      return candidate.testAccuracy !== null && candidate.testAccuracy > (best?.testAccuracy ?? -1);
    default:
      return unreachable(selection);
  }
}

/** How the kept epoch was chosen, in words, for `evaluation.json`. */
export function describeSelection(selection: Compat['selection']): string {
  return selection === 'validation'
    ? 'best validation accuracy, latest of ties'
    : 'best test accuracy, first of ties: chosen on the test clips themselves';
}
