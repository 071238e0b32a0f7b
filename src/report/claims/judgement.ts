import { wilsonInterval } from '../../stats/proportions.ts';
import type { Verdict } from '../../thesis/published.ts';
import { formatPercentRange } from '../data/format.ts';
import type { ModelResult } from '../data/results.ts';
import type { Claim } from './claim.ts';

export interface Judgement {
  readonly claim: Claim;
  readonly verdict: Verdict;
  /** The measured value, for people; empty if nothing could be measured. */
  readonly measured: string;
  readonly reason: string;
}

export type Finding = Omit<Judgement, 'claim'>;

export function notApplicable(reason: string): Finding {
  return { verdict: 'not-applicable', measured: '', reason };
}

/** Whether a statement holds in one seed; null if unknown. */
interface SeedFinding {
  readonly seed: number;
  readonly holds: boolean | null;
  readonly measured: string;
}

/** For statements that hold or fail in each seed. */
export function judgeSeeds(seeds: readonly SeedFinding[], reason: string): Finding {
  const holding = seeds.filter(({ holds }) => holds === true).length;
  const failing = seeds.filter(({ holds }) => holds === false).length;
  const verdict =
    holding === seeds.length ? 'reproduced' : failing === seeds.length ? 'not-reproduced' : 'inconclusive';
  const measured =
    seeds.length === 1
      ? seeds[0]!.measured
      : seeds.map(({ seed, measured }) => `seed ${seed}: ${measured}`).join('; ');
  const rest =
    verdict === 'inconclusive' && seeds.length > 1 ? describeShare(holding, failing, seeds.length) : '';
  return { verdict, measured, reason: reason + rest };
}

/** For what share of all seeds it may hold: a few seeds leave much open. */
function describeShare(holding: number, failing: number, all: number): string {
  if (holding + failing < all) {
    return ` It holds for ${holding} of ${all} seeds, and not for ${failing}; for the others, this is unknown.`;
  }
  const { low, high } = wilsonInterval(holding, all);
  return ` It holds for ${holding} of ${all} seeds, so of all seeds for ${formatPercentRange(low, high)} (95 % interval, Wilson).`;
}

/** The judgement of a model's published test accuracy, a maximum over epochs; null if there is no such claim, or this run cannot judge it. */
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
