import { ReproError } from '../base/errors.ts';
import { suggestName } from '../base/schema/closest-name.ts';
import { quoteName } from '../base/text.ts';
import { type AnswerTable, findCopies, findUnpaired, shareSeeds, sumCells } from './answers.ts';
import { type AnswerCells, countItems, type Fixed, measureContrasts, measureMean } from './contrasts.ts';
import {
  ACCURACY_UNIT,
  type ContrastClaim,
  explainComparison,
  explainUnknown,
  type Finding,
  judgeContrasts,
  type NamedContrast,
  notApplicable,
  type Unit,
} from './findings.ts';
import {
  compareValues,
  type Estimate,
  errorOfShare,
  errorOfSpread,
  marginOf,
  type PublishedComparison,
  type ShareCounts,
} from './published-values.ts';
import type { StatedClaim, StatedClaims, StatedMeasure } from './stated-claims.ts';
import type { Spread } from './stats/crossed.ts';
import { endSentence, formatQuantity, groupDigits, joinWords, spellQuantity } from './words.ts';

/** What results say of a claim. */
export interface ClaimJudgement extends Finding {
  readonly claim: StatedClaim;
  /** The differences of arms that were judged, of which the claim says how large they are; empty for a published value. */
  readonly contrasts: readonly NamedContrast[];
  /** With the published value; null for a claim about several arms, and if nothing can be said. */
  readonly comparison:
    | (Omit<PublishedComparison, 'verdict'> & { readonly value: number; readonly published: number })
    | null;
}

type Judged = Omit<ClaimJudgement, 'claim'>;
type PublishedMeasure = Extract<StatedMeasure, { readonly published: number }>;
type ArmsMeasure = Exclude<StatedMeasure, PublishedMeasure | { readonly kind: 'untestable' }>;

/**
 * Judges every claim, in their order.
 *
 * @throws {ReproError} `claims-invalid` if claims about shares are written as if they were about scores
 */
export function judgeAnswers(stated: StatedClaims, table: AnswerTable): ClaimJudgement[] {
  if (!table.isScore) requireShares(stated);
  return stated.claims.map((claim) => ({ claim, ...judgeStated(claim, stated, table) }));
}

/** Answers that are right or wrong have shares, which may not be meant as points, nor be better if lower. */
function requireShares({ better, claims, placeOf }: StatedClaims): void {
  if (better === 'lower')
    throw new ReproError('claims-invalid', '"better: lower" is for scores.', {
      where: placeOf?.('better'),
      fix: 'The results have right and wrong answers: leave it out.',
    });
  for (const [index, { id, measure }] of claims.entries()) {
    const margin = 'margin' in measure && measure.kind !== 'score' ? (measure.margin ?? 0) : 0;
    if (margin < 0.5) continue;
    const problem = `claim ${quoteName(id)}: margin ${margin} is ${100 * margin} points.`;
    throw new ReproError('claims-invalid', problem, {
      where: placeOf?.('claims', index, 'measure', 'margin'),
      fix: 'Margins of accuracies are shares: 0.02 is two points.',
    });
  }
}

function judgeStated(claim: StatedClaim, stated: StatedClaims, table: AnswerTable): Judged {
  const { measure } = claim;
  if (measure.kind === 'untestable')
    return refuse(`No results can test this: ${endSentence(measure.because)}`);
  const arms =
    'arms' in measure ? measure.arms : 'than' in measure ? [measure.arm, measure.than] : [measure.arm];
  for (const arm of arms) {
    if (table.arms.has(arm)) continue;
    return refuse(
      [`The results have no arm ${quoteName(arm)}.`, suggestName(arm, table.arms.keys())].join(' ').trim(),
    );
  }
  const isPublished = 'published' in measure;
  if (measure.kind === 'score' && !table.isScore)
    return refuse('The claim is about a score; the results have right and wrong answers.');
  const { seeds, others } = shareSeeds(table, arms);
  if (seeds.length === 0)
    return refuse(
      `${joinWords(arms.map((arm) => quoteName(arm)))} have no seed in common. Name seeds alike in each arm: 1, 2, 3.`,
    );
  const unpaired = findUnpaired(table, seeds, arms);
  if (unpaired !== null) return refuse(unpaired);
  const pairs = isPublished ? [[measure.arm] as const] : pairArms(arms, stated.better);
  const cells = pairs.map(([arm, than]) => sumCells(table, seeds, arm, than));
  const names = pairs.map((pair) => pair.join(' − '));
  const judged = isPublished
    ? judgePublished(measure, stated, cells[0]!, table)
    : judgeArms(measure, stated, { names, cells }, table);
  if (judged.verdict === 'not-applicable') return judged;
  for (const pair of stated.trainings === 'drawn' ? pairs : []) {
    const copies = pair.map((arm) => findCopies(table, seeds, arm));
    const areAll = copies.every(({ length }) => length === seeds.length);
    const at = copies.findIndex(({ length }) => length > 0 && (areAll || length < seeds.length));
    if (at < 0) continue;
    const names = joinWords((copies[at] ?? []).map((seed) => quoteName(seed)));
    const who = areAll ? 'Every seed' : `Seeds ${names} of ${quoteName(pair[at] ?? '')}`;
    return { ...judged, verdict: 'inconclusive', reason: `${who} ${SAME_ANSWERS}` };
  }
  const reductions = listReductions(claim, cells[0]!, table);
  if (reductions.length === 0) return { ...judged, reason: judged.reason + describeGaps(cells[0]!, others) };
  const published = isPublished ? ` Published: ${unitOf(measure, table).value(measure.published)}.` : '';
  const reason = `Smaller than the claim requires: ${reductions.join('; ')}.${published}`;
  return { ...judged, verdict: 'reduced-scale', reason };
}

function refuse(reason: string): Judged {
  return { ...notApplicable(reason), contrasts: [], comparison: null };
}

const SAME_ANSWERS =
  'gave the same answers, as one training does that is written down several times: check seeds and files. If the claim is about these very trainings, write `trainings: fixed`.';

/** What of a table was not used, or may be missing in it. */
function describeGaps(cells: AnswerCells, others: number): string {
  const items = countItems(cells);
  const [least, most] = [Math.min(...items), Math.max(...items)];
  return [
    ...(others > 0 ? [` Left out: ${spellQuantity(others, 'seed')} that not all of these arms have.`] : []),
    ...(least < most ? [` Seeds have ${groupDigits(least)} to ${formatQuantity(most, 'item')}.`] : []),
  ].join('');
}

function listReductions(
  { requires = {}, measure }: StatedClaim,
  { items, rows }: AnswerCells,
  table: AnswerTable,
): string[] {
  // A score may stand for many answers.
  const needed = requires.items ?? (measure.kind === 'accuracy' && !table.isScore ? measure.n : 1);
  const count = rows.length;
  return [
    ...(items < needed ? [`${formatQuantity(items, 'item')} instead of ${groupDigits(needed)}`] : []),
    ...(count < (requires.seeds ?? 1)
      ? [`${spellQuantity(count, 'seed')} instead of ${requires.seeds}`]
      : []),
  ];
}

const SCORE_UNIT: Unit = {
  value: formatScore,
  difference: (difference) => `${difference > 0 ? '+' : ''}${formatScore(difference)}`,
  size: (difference) => formatScore(Math.abs(difference)),
  range: (low, high) => `${SCORE_UNIT.difference(low)} to ${SCORE_UNIT.difference(high)}`,
};

function formatScore(value: number): string {
  return String(Number(value.toPrecision(4))).replaceAll('-', '−');
}

/** How what a claim measures is written. */
export function unitOf({ kind }: StatedMeasure, { isScore }: Pick<AnswerTable, 'isScore'>): Unit {
  return isScore && kind !== 'accuracy' ? SCORE_UNIT : ACCURACY_UNIT;
}

type Drawn = Pick<StatedClaims, 'trainings'>;

/** Nothing is said of other trainings if the claims are about these, nor of other items where there is but one value for each seed. */
function findFixed({ groups }: AnswerCells, { trainings }: Drawn): Fixed | undefined {
  if (trainings === 'fixed') return 'seeds';
  return groups === 1 ? 'groups' : undefined;
}

function describeDesign(cells: AnswerCells, fixed: Fixed | undefined, { hasGroups }: AnswerTable): string {
  const seeds = spellQuantity(cells.rows.length, 'seed');
  const groups = formatQuantity(cells.groups, hasGroups ? 'group' : 'item');
  if (fixed === 'seeds') return `${groups}, for these trainings`;
  return fixed === 'groups'
    ? `${seeds}, not for other ${hasGroups ? 'groups' : 'items'}`
    : `${seeds} and ${groups}`;
}

/** Each arm with the next, the better one first, so that differences are positive. */
function pairArms(arms: readonly string[], better: StatedClaims['better']): [string, string][] {
  return arms.slice(1).map((arm, i) => (better === 'higher' ? [arms[i]!, arm] : [arm, arms[i]!]));
}

const CONTRAST_CLAIMS: Readonly<Record<ArmsMeasure['kind'], ContrastClaim>> = {
  equivalence: 'equal',
  difference: 'more',
  'no-worse': 'no-worse',
  order: 'more',
};

function judgeArms(
  measure: ArmsMeasure,
  drawn: Drawn,
  { names, cells }: { readonly names: readonly string[]; readonly cells: readonly AnswerCells[] },
  table: AnswerTable,
): Judged {
  const { margin = 0 } = measure;
  const fixed = findFixed(cells[0]!, drawn);
  const options = {
    margin,
    fixed,
    ...(table.isScore ? {} : { largest: 1 }),
    leastError: findLeastError(margin, cells[0]!, fixed, table),
  };
  const contrasts = measureContrasts(cells, options).map((contrast, i) => ({ name: names[i]!, contrast }));
  const context = {
    margin,
    unit: unitOf(measure, table),
    design: describeDesign(cells[0]!, fixed, table),
    unknown: explainUnknown('mean difference', cells[0]!, fixed, table.hasGroups ? 'group' : 'item'),
  };
  return {
    ...judgeContrasts(CONTRAST_CLAIMS[measure.kind], contrasts, context),
    contrasts,
    comparison: null,
  };
}

/**
 * Two models that differ on few items, all in one direction, scatter less than their difference may be off. If it is as large as the margin, they differ
 * on a share of the items that is at least the margin, and so the variance over items is at least m · (1 − m).
 */
function findLeastError(
  margin: number,
  cells: AnswerCells,
  fixed: Fixed | undefined,
  table: AnswerTable,
): number {
  if (fixed !== 'seeds' || cells.rows.length > 1 || table.isScore) return 0;
  return Math.sqrt((margin * (1 - margin)) / cells.items);
}

/** Compares an arm's mean with a published one. Both have an error of items and, unless they are about these very trainings, one of seeds. */
function judgePublished(
  measure: PublishedMeasure,
  drawn: Drawn,
  cells: AnswerCells,
  table: AnswerTable,
): Judged {
  const unit = unitOf(measure, table);
  const fixed = findFixed(cells, drawn);
  const { mean: value, seeds, ofSeeds } = measureMean(cells, fixed);
  if (measure.kind === 'accuracy' && (value < 0 || value > 1))
    return refuse(
      `An accuracy is a share from 0 to 1, and the mean of the values is ${formatScore(value)}. Divide percentages by 100.`,
    );
  const count = seeds.length;
  const measured = `${unit.value(value)}, ${count === 1 ? 'one seed' : `mean of ${spellQuantity(count, 'seed')}`}`;
  const nothing = { verdict: 'inconclusive', measured, contrasts: [], comparison: null } as const;
  const between = fixed === 'seeds' ? [] : errorOfSeeds(measure, cells, ofSeeds);
  const own = errorOfOurs(measure, fixed, cells, table);
  // The items of a single value are those of its deviation.
  const isKnown = own.length > 0 || (fixed !== 'seeds' && cells.items === 1 && measure.sd !== undefined);
  if (between === null || !isKnown)
    return { ...nothing, reason: explainUnknown('mean', cells, fixed, table.hasGroups ? 'group' : 'item') };
  const { published } = measure;
  const stated = measure.kind === 'accuracy' ? { correct: published * measure.n, clips: measure.n } : null;
  const theirs =
    measure.kind === 'accuracy'
      ? errorOfTheirs(measure, cells, table)
      : errorOfSpread({ error: measure.error ?? 0, degrees: (measure.groups ?? MANY) - 1 });
  const margin = measure.margin ?? (stated ? defaultMargin(stated) : 0);
  const compared = compareValues(
    { value, errors: own },
    { value: published, errors: [...between, theirs] },
    margin,
  );
  const { verdict, ...comparison } = compared;
  const room = `${unit.size(margin)}${measure.margin === undefined ? ', by default' : ''}`;
  // One value stands for the items of the claim.
  const design =
    measure.kind === 'accuracy' && table.isScore && cells.items === 1
      ? `${spellQuantity(count, 'seed')} and the ${formatQuantity(measure.n, 'item')} of the claim`
      : describeDesign(cells, fixed, table);
  const why = explainComparison(compared, { published: unit.value(published), room, unit });
  const areOurs = measure.kind === 'accuracy' && table.hasGroups && measure.n === cells.items;
  const ofWhom = areOurs && measure.groups === undefined ? OF_THESE_GROUPS : '';
  return {
    ...nothing,
    verdict,
    reason: `Over ${design}, ${why}${ofWhom}`,
    comparison: { value, published, ...comparison },
  };
}

const OF_THESE_GROUPS =
  ' The published value counts as one of these groups; if it is of others, state `groups`.';

/** Of a published accuracy, a share. With few items, the margin that follows from them would say that nearly everything is equal: a larger one must be stated. */
export function defaultMargin(published: ShareCounts): number {
  return Math.min(marginOf(published) / published.clips, 0.05);
}

/**
 * How far a published share may be for other items: each counts once. Other people than ours count as being as different from one another as ours, and as
 * unequal in their numbers of items. Fewer items than ours are of other people, each with as many items as one of ours, unless the claim says of how many.
 */
function errorOfTheirs(
  { published, n, groups }: Extract<PublishedMeasure, { readonly kind: 'accuracy' }>,
  cells: AnswerCells,
  { hasGroups, isScore }: AnswerTable,
): Estimate['errors'][number] {
  const byCount = (clips: number) => errorOfShare({ correct: published * clips, clips });
  const isPart = hasGroups && !isScore && n < cells.items;
  const others = groups ?? (isPart ? (cells.groups * n) / cells.items : null);
  if (others === null) return byCount(n);
  const spread = hasGroups ? measureMean(cells, 'seeds').spread : null;
  // Where nothing says how different people are, one has all answers right or all wrong.
  if (spread === null) return byCount(others);
  const ofPeople = errorOfSpread({ ...spread, error: spread.error * Math.sqrt(cells.groups / others) });
  return (level) => {
    const [{ below, above }, { above: reach }] = [byCount(n)(level), ofPeople(level)];
    return { below: Math.max(below, reach), above: Math.max(above, reach) };
  };
}

/** As many groups as make a normal distribution. */
const MANY = 1e6;

/**
 * How far other trainings may be: the published mean, and ours if it is of one. Where no deviation is published, trainings there count as scattered
 * as ours. Null if nothing says it.
 */
function errorOfSeeds(
  { sd, seeds: trainings = 1 }: PublishedMeasure,
  { rows: { length: count }, items }: AnswerCells,
  ofSeeds: Spread | null,
): Estimate['errors'] | null {
  if (sd !== undefined) {
    const error = sd * Math.sqrt(1 / trainings + (count === 1 ? 1 : 0));
    return [errorOfSpread({ error, degrees: trainings - 1 })];
  }
  // Answers that are all right, or all wrong, are so with every seed.
  if (ofSeeds === null) return count > 1 && items > 1 ? [] : null;
  return [errorOfSpread({ ...ofSeeds, error: ofSeeds.error * Math.sqrt(count / trainings) })];
}

/** How far our mean may be: over seeds and groups, or over groups alone if there is one training. Empty if nothing says it. */
function errorOfOurs(
  measure: PublishedMeasure,
  fixed: Fixed | undefined,
  cells: AnswerCells,
  { isScore, hasGroups }: AnswerTable,
): Estimate['errors'] {
  const isOne = fixed === 'seeds' || cells.rows.length === 1;
  const { mean, spread } = measureMean(cells, isOne ? 'seeds' : fixed);
  const bySpread = spread === null ? [] : [errorOfSpread(spread)];
  // A share of counted items, which several trainings answered: each item counts once.
  const byCount = (items: number) => [errorOfShare({ correct: mean * items, clips: items })];
  if (isScore && cells.items === 1)
    return measure.kind === 'accuracy' ? [...bySpread, ...byCount(measure.n)] : bySpread;
  if (!isScore && spread === null) return byCount(cells.groups);
  return !isScore && !hasGroups && isOne ? byCount(cells.items) : bySpread;
}
