import { meanInterval, pairedTTest } from '../../stats/means.ts';
import {
  countDiscordant,
  type Discordance,
  holmAdjust,
  mcnemarTest,
  signFlipTest,
} from '../../stats/p-values.ts';
import { pairedDifference } from '../../stats/proportions.ts';
import { spellCount } from './format.ts';
import { SEEDS_FOR_INTERVAL } from './outcome.ts';
import type { ModelResult, Results } from './results.ts';

/** How much more accurate a model is than the first one, on the test clips at the chosen epochs. */
export interface ModelDifference {
  readonly model: ModelResult;
  /** A share, of the model minus the first. */
  readonly difference: number;
  /** The 95 % interval, not corrected for the number of models; null if all seeds, or all clips, differ by the same. */
  readonly low: number | null;
  readonly high: number | null;
  /** Two-sided; null without a test, as above. */
  readonly p: number | null;
  /** Holm-corrected for the number of models, including those without a test. */
  readonly adjusted: number | null;
  /** The clips on which only one of the two is right; null if there are several seeds. */
  readonly discordance: Discordance | null;
}

/**
 * Compares every model with the first. With one seed, clip by clip: exact McNemar test, Agresti and Min's interval. With two, also clip by
 * clip, where a clip counts by how many seeds get it right: exact sign-flip test (for one seed, McNemar's) and Student's interval. With three
 * or more, seed by seed: paired t test, Student's interval. The difference is always between the mean accuracies.
 */
export function compareModels({ models }: Pick<Results, 'models'>): ModelDifference[] {
  const [first, ...others] = models;
  if (first === undefined) return [];
  const compare = isBySeed(first) ? compareSeeds : first.runs.length > 1 ? compareMeans : compareClips;
  const compared = others.map((model) => ({ model, ...compare(first, model) }));
  const adjusted = holmAdjust(compared.map(({ p }) => p ?? 1));
  return compared.map((one, i) => ({ ...one, adjusted: one.p === null ? null : (adjusted[i] ?? null) }));
}

/** The level of all tests for a difference together. */
export const DIFFERENCE_LEVEL = 0.05;

export function isSignificant({ adjusted }: ModelDifference): boolean {
  return adjusted !== null && adjusted <= DIFFERENCE_LEVEL;
}

/** With enough seeds, models are compared over seeds, not over clips. */
export function isBySeed({ runs }: ModelResult): boolean {
  return runs.length >= SEEDS_FOR_INTERVAL;
}

/** `exact McNemar test`: how {@link compareModels} compares with this model. */
export function nameTest(first: ModelResult): string {
  const seeds = first.runs.length;
  if (isBySeed(first)) return `paired t test over ${spellCount(seeds)} seeds`;
  return seeds > 1
    ? `exact sign-flip test of the means over ${spellCount(seeds)} seeds, clip by clip`
    : 'exact McNemar test clip by clip';
}

type Comparison = Omit<ModelDifference, 'model' | 'adjusted'>;

function compareClips(first: ModelResult, other: ModelResult): Comparison {
  const rightOf = ({ runs }: ModelResult) => (runs[0]?.answers ?? []).map(({ right }) => right);
  const discordance = countDiscordant(rightOf(other), rightOf(first));
  return { ...pairedDifference(discordance), p: mcnemarTest(discordance), discordance };
}

function compareMeans(first: ModelResult, other: ModelResult): Comparison {
  const { mean, low, high } = meanInterval(pairedDifferences(first, other));
  const seeds = first.runs.length;
  const sums = pairedDifferences(first, other).map((difference) => Math.round(difference * seeds));
  const better = mean < 0 ? sums.map((sum) => -sum) : sums;
  const p = low === null ? null : Math.min(1, 2 * signFlipTest(better));
  return { difference: mean, low, high, p, discordance: null };
}

function compareSeeds(first: ModelResult, other: ModelResult): Comparison {
  const { mean, low, high, p } = pairedTTest(pairedDifferences(first, other));
  return { difference: mean, low, high, p, discordance: null };
}

/** How much more accurate the other model is: for each seed, or with too few seeds, for each clip on average over the seeds. */
export function pairedDifferences(first: ModelResult, other: ModelResult): number[] {
  const [ours, theirs] = isBySeed(first)
    ? [first, other].map(({ runs }) => runs.map(({ test }) => test.accuracy))
    : [first, other].map(shareRight);
  if (ours === undefined || theirs?.length !== ours.length) {
    throw new RangeError(`the same clips are needed, not ${ours?.length} and ${theirs?.length}`);
  }
  return theirs.map((value, i) => value - (ours[i] ?? 0));
}

/** Of each clip, the share of the seeds that get it right. */
function shareRight({ runs }: ModelResult): number[] {
  const answers = runs.map((run) => run.answers);
  return (answers[0] ?? []).map(
    (_, clip) => answers.filter((ofRun) => ofRun[clip]?.right === true).length / runs.length,
  );
}
