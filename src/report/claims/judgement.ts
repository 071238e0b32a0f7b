import type { Claim } from './claim.ts';

export const VERDICTS = ['reproduced', 'not-reproduced', 'inconclusive', 'not-applicable'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What became of a claim. */
export interface Judgement {
  readonly claim: Claim;
  readonly verdict: Verdict;
  /** What was measured, for people; empty if nothing could be. */
  readonly measured: string;
  /** Why that is the verdict, a sentence. */
  readonly reason: string;
}

export type Finding = Omit<Judgement, 'claim'>;

export function notApplicable(reason: string): Finding {
  return { verdict: 'not-applicable', measured: '', reason };
}

/** For statements that hold or do not, in each seed on its own. */
export function judgeSeeds(
  seeds: readonly { readonly seed: number; readonly holds: boolean; readonly measured: string }[],
  reason: string,
): Finding {
  const holding = seeds.filter(({ holds }) => holds).length;
  const verdict = holding === seeds.length ? 'reproduced' : holding === 0 ? 'not-reproduced' : 'inconclusive';
  const measured =
    seeds.length === 1
      ? seeds[0]!.measured
      : seeds.map(({ seed, measured }) => `seed ${seed}: ${measured}`).join('; ');
  const rest = verdict === 'inconclusive' ? ` It holds for ${holding} of ${seeds.length} seeds.` : '';
  return { verdict, measured, reason: reason + rest };
}
