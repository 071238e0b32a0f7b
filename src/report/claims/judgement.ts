import { capitalise } from '../../base/text.ts';
import { hasFolds } from '../../results/thesis/published.ts';
import {
  ACCURACY_UNIT,
  type ContrastClaim,
  explainComparison,
  type Finding,
  judgeContrasts,
  notApplicable,
} from '../../verdicts/findings.ts';
import {
  compareValues,
  estimateShare,
  marginOf,
  type PublishedComparison,
  type ShareCounts,
} from '../../verdicts/published-values.ts';
import { wilsonInterval } from '../../verdicts/stats/proportions.ts';
import { formatPercentRange, formatQuantity, formatShare, groupDigits } from '../../verdicts/words.ts';
import type { Accuracy, Outcome } from '../data/outcome.ts';
import { contrastModels } from '../data/question.ts';
import type { ModelResult } from '../data/results.ts';
import type { Claim, MeasureOf, Published } from './claim.ts';

/** What a run says of a claim. */
export interface Judgement extends Finding {
  readonly claim: Claim;
}

/** Why a run has no verdict on a claim about other data. */
export const OTHER_DATA = 'The claim is about another data set.';
/** Where that is true of all claims. */
export const ALL_OTHER_DATA = 'The published claims are about other data sets.';

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
export function findPublishedTest(model: ModelResult, judgements: readonly Judgement[]): Judgement | null {
  const { published } = model;
  if (published === null || hasFolds({ models: [model] })) return null;
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

/**
 * Compares a share of clips with a published one: {@link compareValues}. The published answers clip by clip are unknown, so both count as
 * independent. They are not quite, so the intervals are rather too wide than too narrow.
 */
export function compareAccuracy(ours: ShareCounts, published: ShareCounts): PublishedComparison {
  const margin = marginOf(published) / published.clips;
  return compareValues(estimateShare(ours), estimateShare(published), margin);
}

/** @param rivals other published accuracies on the same clips: which of them the same result would reproduce, equal ones of other models among them */
export function judgeAccuracy(
  { published }: Claim,
  measure: MeasureOf<'accuracy'>,
  outcome: Outcome,
  rivals: readonly Claim[],
): Finding {
  if (published === null) throw new RangeError('a published accuracy is needed to compare with');
  const accuracy = outcome[measure.epoch][measure.split];
  if (accuracy === null) return notApplicable('No clips were held out for validation.');
  const ours = { correct: accuracy.mean * accuracy.clips, clips: accuracy.clips };
  const comparison = compareAccuracy(ours, published);
  const why = explainComparison(comparison, {
    published: `${groupDigits(published.correct)} of ${groupDigits(published.clips)}`,
    room: `${marginOf(published)} of ${formatQuantity(published.clips, 'clip')}`,
    unit: ACCURACY_UNIT,
  });
  const others = describeRivals(ours, { model: measure.model, correct: published.correct }, rivals);
  const { verdict } = comparison;
  return { verdict, measured: describeAccuracy(accuracy), reason: `${capitalise(why)} ${others}` };
}

/** `The same result would also reproduce 274 (No Reg.) and 276 (λ = .01).` */
function describeRivals(
  ours: ShareCounts,
  own: { readonly model: string; readonly correct: number },
  rivals: readonly Claim[],
): string {
  const names = new Map<number, string[]>();
  for (const { published, measure, evidence } of rivals) {
    if (published === null || measure.kind !== 'accuracy') continue;
    if (published.correct === own.correct && measure.model === own.model) continue;
    if (compareAccuracy(ours, published).verdict !== 'reproduced') continue;
    const name = `${measure.model}, ${evidence.source.title}`;
    names.set(published.correct, [...(names.get(published.correct) ?? []), name]);
  }
  if (names.size === 0) return 'The same result would reproduce no other published value.';
  const values = [...names].sort(([a], [b]) => a - b);
  return `The same result would equally reproduce ${values.map(([correct, who]) => `${groupDigits(correct)} (${who.join('; ')})`).join(', ')}.`;
}

function describeAccuracy({ mean, clips, count, interval, min, max }: Accuracy): string {
  const range = `95 % interval ${formatPercentRange(interval.low, interval.high)}`;
  if (count === 1)
    return `${formatShare(mean)} (${groupDigits(Math.round(mean * clips))} of ${groupDigits(clips)}), ${range}`;
  return `${formatShare(mean)} of ${groupDigits(clips)}, mean of ${count} seeds (${formatPercentRange(min, max)}), ${range}`;
}

/** The published accuracy with its interval, for use beside one that it is not compared with. */
export function describePublishedAccuracy({ correct, clips }: Published): string {
  const { low, high } = wilsonInterval(correct, clips);
  return `${formatShare(correct / clips)} (${groupDigits(correct)} of ${groupDigits(clips)}), 95 % interval ${formatPercentRange(low, high)}`;
}

/**
 * Judges how much more accurate the others are than the first, for other seeds and other users; with one seed, for these trainings.
 *
 * @param marginClips 0 if any difference matters
 */
export function judgeOthers(
  claim: ContrastClaim,
  first: ModelResult,
  others: readonly ModelResult[],
  marginClips: number,
): Finding {
  const margin = marginClips / (first.runs[0]?.test.clips ?? 1);
  const { others: measured, design, unknown } = contrastModels(first, others, margin);
  const named = measured.map(({ model, contrast }) => ({
    name: `${model.title} − ${first.title}`,
    contrast,
  }));
  return judgeContrasts(claim, named, { margin, unit: ACCURACY_UNIT, design, unknown });
}
