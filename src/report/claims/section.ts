import type { Block, Cell, Section, Table, Text } from '../document.ts';
import { formatCount, formatQuantity, joinWords, spellCount } from '../format.ts';
import { type Judgement, VERDICT_TITLES, type Verdict } from './judgement.ts';

/** Which published claims hold, how surely, and where they do not. */
export function describeClaims(judgements: readonly Judgement[], margin: number): Section {
  const summary: Block = { kind: 'paragraph', text: summariseClaims(judgements), lead: true };
  // A row for each would only repeat the same reason.
  const isJudged = judgements.some(({ verdict }) => verdict !== 'not-applicable');
  const table = isJudged ? [{ kind: 'table', table: tabulateClaims(judgements, margin) } as const] : [];
  return { id: 'claims', title: 'What holds', blocks: [summary, ...table] };
}

function tabulateClaims(judgements: readonly Judgement[], margin: number): Table {
  return {
    id: 'table-claims',
    caption: 'Published claims and what this run says of them',
    columns: [{ label: 'Claim' }, { label: 'Measured' }, { label: 'Verdict' }],
    rows: judgements.map(({ claim, verdict, measured, reason }): Cell[] => [
      { text: claim.statement, details: [claim.source, ...describePublished(claim)] },
      measured === '' ? { text: '–', tone: 'missing' } : { text: measured },
      { text: VERDICT_TITLES[verdict], details: [reason], ...toneOf(verdict) },
    ]),
    notes: [
      [
        `An accuracy is reproduced if it certainly differs from the published one by less than ${(100 * margin).toFixed(0)} percentage points, otherwise not reproduced if the difference is significant, and else inconclusive. configs/claims.yaml lists the claims, docs/claims.md the methods.`,
      ],
    ],
  };
}

/** The clips behind a published share. */
function describePublished({ published }: Judgement['claim']): string[] {
  return published === null
    ? []
    : [`${formatCount(published.correct)} of ${formatQuantity(published.clips, 'clip')}`];
}

export function toneOf(verdict: Verdict): Pick<Cell, 'tone'> {
  if (verdict === 'not-reproduced') return { tone: 'differs' };
  return verdict === 'reproduced' ? {} : { tone: 'missing' };
}

function summariseClaims(judgements: readonly Judgement[]): Text {
  const count = (verdict: Verdict) => judgements.filter((one) => one.verdict === verdict).length;
  const judged = judgements.length - count('not-applicable');
  if (judged === 0) {
    const reasons = new Set(judgements.map(({ reason }) => reason));
    return [
      { strong: `None of the ${judgements.length} published claims can be judged by this run.` },
      ...(reasons.size === 1 ? [` ${[...reasons][0]}`] : []),
    ];
  }
  const parts = (['reproduced', 'not-reproduced', 'inconclusive'] as const)
    .filter((verdict) => count(verdict) > 0)
    .map(
      (verdict) =>
        `${spellCount(count(verdict))} ${count(verdict) === 1 ? 'is' : 'are'} ${VERDICT_TITLES[verdict]}`,
    );
  const rest = count('not-applicable');
  return [
    { strong: `Of ${spellCount(judged)} published claims that this run can judge, ${joinWords(parts)}.` },
    ...(rest === 0 ? [] : [` ${rest === 1 ? 'One other' : `${rest} others`} cannot be judged by it.`]),
  ];
}

/** claims.json of the report, for programs: with ordinary spaces. */
export function formatJudgements(judgements: readonly Judgement[], simulated: boolean): string {
  const claims = judgements.map(({ claim, verdict, measured, reason }) => ({
    id: claim.id,
    source: claim.source,
    statement: claim.statement,
    published: claim.published,
    measured: measured === '' ? null : measured,
    verdict,
    reason,
  }));
  return `${JSON.stringify({ version: 1, simulated, claims }, null, 2).replace(/[\u00a0\u202f]/g, ' ')}\n`;
}
