import type { ModelResult } from '../results.ts';
import type { Judgement } from './judgement.ts';

/** What became of a model's published test accuracy, a maximum over epochs; null if no claim is about it, or this run cannot judge it. */
export function findPublishedTest(
  { published }: ModelResult,
  judgements: readonly Judgement[],
): Judgement | null {
  if (published === null) return null;
  const found = judgements.find(
    ({ claim: { measure, published: stated } }) =>
      measure.kind === 'accuracy' &&
      measure.model === published.name &&
      measure.split === 'test' &&
      measure.epoch === 'maximum' &&
      stated?.share === published.test,
  );
  return found === undefined || found.verdict === 'not-applicable' ? null : found;
}
