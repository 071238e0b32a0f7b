import type { AnswerTable } from '../../src/verdicts/answers.ts';
import type { StatedMeasure } from '../../src/verdicts/stated-claims.ts';
import { pairedTTest } from '../../src/verdicts/stats/means.ts';
import { average } from './simulate.ts';

/** What people do who do not state a margin for the claim: whether a claim holds; null if the way gives no answer. */
export interface UsualAnswers {
  /** A difference counts from 1 point on. */
  readonly points: boolean;
  /** From 5 % of the value that is compared with. */
  readonly relative: boolean;
  /** From p < 0.05 on, in a t test over the means of the seeds. */
  readonly test: boolean | null;
}

/** How the first of two values compares with the second: a difference that does not count is a tie. */
type Comparison = 'more' | 'less' | 'tie';

export function judgeUsually(measure: StatedMeasure, study: AnswerTable): UsualAnswers {
  const pairs = listPairs(measure, study);
  const beyond = (tolerance: (reference: number) => number) =>
    holds(
      measure,
      pairs.map(({ differences, reference }) => {
        const difference = average(differences);
        return compare(difference, Math.abs(difference) > tolerance(reference));
      }),
    );
  const tests = pairs.map(({ differences }) => pairedTTest(differences));
  return {
    points: beyond(() => 0.01),
    relative: beyond((reference) => 0.05 * reference),
    test: tests.some(({ p }) => p === null)
      ? null
      : holds(
          measure,
          tests.map(({ mean, p }) => compare(mean, p! < 0.05)),
        ),
  };
}

function compare(difference: number, counts: boolean): Comparison {
  if (!counts) return 'tie';
  return difference > 0 ? 'more' : 'less';
}

function holds({ kind }: StatedMeasure, comparisons: readonly Comparison[]): boolean {
  if (kind === 'difference' || kind === 'order') return comparisons.every((one) => one === 'more');
  if (kind === 'no-worse') return comparisons.every((one) => one !== 'less');
  return comparisons.every((one) => one === 'tie');
}

/** What is compared, by seed, with a value: another arm's mean, or the published one. */
function listPairs(
  measure: StatedMeasure,
  { arms }: AnswerTable,
): { readonly differences: readonly number[]; readonly reference: number }[] {
  const meansOf = (arm: string) =>
    [...arms.get(arm)!.values()].map((answers) => average([...answers.values()]));
  if (measure.kind === 'untestable') return [];
  if ('published' in measure) {
    const { arm, published: reference } = measure;
    return [{ differences: meansOf(arm).map((mean) => mean - reference), reference }];
  }
  const means = (measure.kind === 'order' ? measure.arms : [measure.arm, measure.than]).map(meansOf);
  return means.slice(1).map((than, before) => ({
    differences: than.map((mean, seed) => means[before]![seed]! - mean),
    reference: average(than),
  }));
}
