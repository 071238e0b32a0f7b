import { type JudgedClaim, judgeClaims } from '../baseline/judge.ts';
import { VERDICT_TITLES } from '../thesis/verdicts.ts';
import type { CheckedItem, CheckedSection } from './check-group.ts';

/** What the report's verdicts on the published claims say, next to those of the baseline. */
export function sectionOfClaims(
  profile: string,
  ...[baseline, claims]: Parameters<typeof judgeClaims>
): CheckedSection {
  const judged = judgeClaims(baseline, claims);
  const items = judged.map(itemOf);
  const rows = items.filter(({ state }) => state !== 'skipped');
  const reduced = judged.filter(({ verdict }) => verdict === 'reduced-scale').length;
  const answered = rows.length - reduced;
  const besides =
    reduced === 0 ? '' : `; ${reduced} ${reduced === 1 ? 'is' : 'are'} measured at reduced scale`;
  const failed = items.filter(({ state }) => state === 'failed').length;
  const reasons = new Set(claims.map(({ reason }) => reason));
  const known = judged.filter(({ verdict, isWorse }) => verdict === 'not-reproduced' && !isWorse).length;
  const summary =
    failed > 0
      ? `${failed} of ${answered} claims that it can judge ${failed === 1 ? 'is' : 'are'} not reproduced, or worse than in the baseline`
      : answered === 0
        ? `it can judge none of ${claims.length} claims${reasons.size === 1 ? `. ${[...reasons][0]}` : besides}`
        : known > 0
          ? `none of ${answered} claims that it can judge is worse than in the baseline, where ${known} ${known === 1 ? 'is' : 'are'} not reproduced either${besides}`
          : `none of ${answered} claims that it can judge is contradicted${besides}`;
  return {
    document: { kind: 'claims', profile, claims: judged },
    group: {
      title: `claims, profile ${profile}`,
      items,
      rows,
      isGood: failed === 0,
      summary: `profile ${profile}: ${summary}`,
      remedy: ['what each verdict means: docs/claims.md; if it is right, accept it: ./repro baseline update'],
    },
  };
}

function itemOf({ id, statement, measured, verdict, reason, before, isWorse }: JudgedClaim): CheckedItem {
  const old = before === null || before === verdict ? '' : ` In the baseline: ${VERDICT_TITLES[before]}.`;
  const known = verdict === 'not-reproduced' && !isWorse;
  return {
    name: `claim ${id}`,
    state: isWorse
      ? 'failed'
      : verdict === 'not-applicable'
        ? 'skipped'
        : known || verdict === 'reduced-scale'
          ? 'noted'
          : 'ok',
    word: VERDICT_TITLES[verdict],
    text: `${statement}. ${measured === null ? '' : `Measured: ${measured}. `}${reason}${old}${known ? ' As in the baseline.' : ''}`,
  };
}
