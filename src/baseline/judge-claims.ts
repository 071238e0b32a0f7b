import type { Baseline, Verdict } from './baseline.ts';
import type { ClaimVerdict } from './claims.ts';

/** A report's verdict on a claim, and whether it is one to fail for. */
export interface JudgedClaim extends ClaimVerdict {
  /** That of the baseline; null without one, or if it does not have this claim. */
  readonly before: Verdict | null;
  readonly isWorse: boolean;
}

const ranks: Readonly<Record<Exclude<Verdict, 'not-applicable'>, number>> = {
  reproduced: 2,
  inconclusive: 1,
  'not-reproduced': 0,
};

/**
 * Whether verdicts got worse than those of the baseline, which someone has seen and committed. Without one to compare with, `not-reproduced`
 * fails by itself. What is not applicable now says nothing.
 */
export function judgeClaims(
  baseline: Pick<Baseline, 'claims'> | null,
  claims: readonly ClaimVerdict[],
): JudgedClaim[] {
  return claims.map((claim) => {
    const known = baseline?.claims ?? {};
    const before = Object.hasOwn(known, claim.id) ? (known[claim.id] ?? null) : null;
    return { ...claim, before, isWorse: isWorse(before, claim.verdict) };
  });
}

function isWorse(before: Verdict | null, now: Verdict): boolean {
  if (now === 'not-applicable') return false;
  if (before === null || before === 'not-applicable') return now === 'not-reproduced';
  return ranks[now] < ranks[before];
}
