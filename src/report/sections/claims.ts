import { nameSource } from '../../results/thesis/published.ts';
import { formatClaims, type QuestionEntry } from '../../verdicts/claims-file.ts';
import { ANSWERS, VERDICT_TITLES, type Verdict } from '../../verdicts/verdicts.ts';
import { groupDigits, joinWords, present, spellCount } from '../../verdicts/words.ts';
import { nameEvidence, type Source } from '../claims/claim.ts';
import { ALL_OTHER_DATA, type Judgement, OTHER_DATA } from '../claims/judgement.ts';
import type { Results } from '../data/results.ts';
import { listDeviations } from '../data/settings.ts';
import {
  type Block,
  type Cell,
  type Inline,
  makeTable,
  type Section,
  type Table,
  type Text,
  textColumn,
} from '../page/document.ts';

/** Which published claims hold, how surely, where they do not, and where each is stated. */
export function describeClaims(judgements: readonly Judgement[], results: Results): Section {
  const about = judgements.filter(({ claim }) => claim.dataset === results.dataset.name);
  const summary: Block = { kind: 'paragraph', text: summariseClaims(judgements), lead: true };
  // A row for each would only repeat the same reason.
  const isAnswered = about.some(({ verdict }) => verdict !== 'not-applicable');
  const table = isAnswered
    ? [{ kind: 'table', table: tabulateClaims(about, judgements.length - about.length) } as const]
    : [];
  const isReduced = about.some(({ verdict }) => verdict === 'reduced-scale');
  const differences = isReduced ? listDifferences(results) : [];
  return { id: 'claims', title: 'What holds', blocks: [summary, ...differences, ...table] };
}

/** How a run at reduced scale differs from what was published, in one place. */
function listDifferences(results: Results): Block[] {
  const { models, seeds } = results;
  const users = new Set(models[0]?.runs.flatMap(({ testUsers = [] }) => testUsers)).size;
  const settings = listDeviations(results)
    // In each fold, these are others.
    .filter(({ label }) => users === 0 || !label.endsWith(' clips'))
    .map(({ label, thesis, used }) => `${label}: ${used} instead of ${thesis}`);
  const items = present(
    ...settings,
    users > 0 && `People tested: ${users}, each by the seeds of a fold, instead of the official test users`,
    seeds.length > 1 && `Seeds: ${seeds.length} instead of 1`,
  );
  return [
    { kind: 'paragraph', text: [`This run differs from ${nameSource(models)} in:`] },
    { kind: 'list', items: items.map((item) => [item]) },
  ];
}

/** @param elsewhere claims about other data sets, which have no row */
function tabulateClaims(judgements: readonly Judgement[], elsewhere: number): Table {
  const sources = new Map(judgements.map(({ claim: { evidence } }) => [evidence.source.id, evidence.source]));
  const notes = [
    [
      'Statements are in our own words. An accuracy is reproduced if its difference from the published one is certainly smaller than the margin; otherwise it is not reproduced if the difference is significant, else inconclusive. ',
      { code: 'docs/claims.md' },
      ' explains the methods and margins, ',
      { code: 'configs/claims.yaml' },
      ' lists the claims.',
      ...(elsewhere === 0 ? [] : [` ${groupDigits(elsewhere)} claims about other data sets are not shown.`]),
    ],
    ...[...sources.values()].map(describeSource),
  ];
  return makeTable(
    { id: 'table-claims', caption: 'Published claims, and what this run says about them', notes },
    judgements,
    [
      textColumn('Claim', ({ claim }) => ({ text: claim.statement, details: describeEvidence(claim) })),
      textColumn('Measured', ({ measured }) => measured || null),
      textColumn('Verdict', ({ verdict, reason }) => ({
        text: VERDICT_TITLES[verdict],
        details: [reason],
        ...VERDICT_TONES[verdict],
      })),
    ],
  );
}

function describeSource({ title, file, sha256 }: Source): Text {
  return [{ strong: `${title}: ` }, `${file}, sha256 `, { code: sha256 }, '.'];
}

/** Where it is stated, the beginning of the file's sha256, the clips behind a share, and what to know. */
function describeEvidence({ evidence, published }: Judgement['claim']): string[] {
  return present(
    `${nameEvidence(evidence)} (sha256 ${evidence.source.sha256.slice(0, 12)}…)`,
    published && `${groupDigits(published.correct)} of ${groupDigits(published.clips)}`,
    evidence.note,
  );
}

export const VERDICT_TONES: Readonly<Record<Verdict, Pick<Cell, 'tone'>>> = {
  reproduced: {},
  'not-reproduced': { tone: 'differs' },
  inconclusive: { tone: 'missing' },
  'reduced-scale': { tone: 'missing' },
  'not-applicable': { tone: 'missing' },
};

function summariseClaims(judgements: readonly Judgement[]): Text {
  const count = (verdict: Verdict) => judgements.filter((one) => one.verdict === verdict).length;
  const reduced = count('reduced-scale');
  const rest = count('not-applicable');
  const judged = judgements.length - reduced - rest;
  if (judged + reduced === 0) {
    const reasons = new Set(judgements.map(({ reason }) => reason));
    if (judgements.every(({ reason }) => reason === OTHER_DATA)) return [{ strong: ALL_OTHER_DATA }];
    return [
      { strong: `This run cannot judge any of the ${judgements.length} published claims.` },
      ...(reasons.size === 1 ? [` ${[...reasons][0]}`] : []),
    ];
  }
  const parts = ANSWERS.filter((verdict) => count(verdict) > 0).map(
    (verdict) =>
      `${spellCount(count(verdict))} ${count(verdict) === 1 ? 'is' : 'are'} ${VERDICT_TITLES[verdict]}`,
  );
  const others = judged === 0 ? '' : ` other${reduced === 1 ? '' : 's'}`;
  return present<Inline>(
    {
      strong:
        judged === 0
          ? 'This run is too small to judge any published claim.'
          : `Of ${spellCount(judged)} published claims that this run can judge, ${joinWords(parts)}.`,
    },
    reduced > 0 &&
      ` For ${spellCount(reduced)}${others}, this run is too small: its results stand beside the published ones (reduced scale).`,
    rest > 0 && ` It cannot judge ${rest === 1 ? 'one other claim' : `${groupDigits(rest)} other claims`}.`,
  );
}

/** claims.json of the report. @param question null if the profile asks nothing */
export function formatJudgements(
  judgements: readonly Judgement[],
  simulated: boolean,
  question: QuestionEntry | null = null,
): string {
  const claims = judgements.map(({ claim, verdict, measured, reason }) => {
    const { source, ...place } = claim.evidence;
    return {
      id: claim.id,
      dataset: claim.dataset,
      source: nameEvidence(claim.evidence),
      evidence: { source: source.id, file: source.file, sha256: source.sha256, ...place },
      statement: claim.statement,
      published: claim.published,
      measured: measured === '' ? null : measured,
      verdict,
      reason,
    };
  });
  return formatClaims(claims, simulated, question);
}
