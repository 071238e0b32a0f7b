import type { Verdict } from '../thesis/verdicts.ts';
import type { Baseline } from './baseline.ts';
import type { ClaimVerdict } from './claims.ts';

/** A report's verdict on a claim, and whether it is one to fail for. */
export interface JudgedClaim extends ClaimVerdict {
  /** That of the baseline; null without one, or if it does not have this claim. */
  readonly before: Verdict | null;
  readonly isWorse: boolean;
}

/** Verdicts that answer the claim, the better the higher; the others do not say whether it holds. */
const RANKS: Readonly<Partial<Record<Verdict, number>>> = {
  reproduced: 2,
  inconclusive: 1,
  'not-reproduced': 0,
};

/**
 * Whether verdicts got worse than those of the baseline, which someone has seen and committed. Without one to compare with, `not-reproduced`
 * fails by itself. What is not applicable now, or only measured at reduced scale, says nothing: that the settings changed is another rule's.
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
  const rank = RANKS[now];
  if (rank === undefined) return false;
  const known = before === null ? undefined : RANKS[before];
  return known === undefined ? now === 'not-reproduced' : rank < known;
}
