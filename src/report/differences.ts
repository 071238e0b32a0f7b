import { formatP } from '../stats/format-p.ts';
import { holmAdjust } from '../stats/holm.ts';
import { countDiscordant, type Discordance, mcnemarTest } from '../stats/mcnemar.ts';
import { pairedTTest } from '../stats/means.ts';
import { pairedDifference } from '../stats/proportion-difference.ts';
import type { Cell, Table } from './document.ts';
import { formatCount, formatPoints, formatPointsRange, spellCount } from './format.ts';
import type { ModelResult, Results } from './results.ts';
import { SEEDS_FOR_INTERVAL } from './seeds.ts';

const MISSING: Cell = { text: '–', tone: 'missing' };

/** How much more accurate a model is than the first one, on the test clips at the chosen epochs. */
export interface ModelDifference {
  readonly model: ModelResult;
  /** A share, of the model minus the first. */
  readonly difference: number;
  /** The 95 % interval, not corrected for the number of models; null if all seeds differ by the same. */
  readonly low: number | null;
  readonly high: number | null;
  /** Two-sided; null without a test, as above. */
  readonly p: number | null;
  /** Corrected after Holm for the number of models, those without a test included. */
  readonly adjusted: number | null;
  /** The clips on which only one of the two is right; null if seeds are compared. */
  readonly discordance: Discordance | null;
}

/**
 * Compares every model with the first: with one or two seeds clip by clip, in the first seed's runs (exact McNemar test, Agresti and Min's
 * interval); with three or more seed by seed (paired t test, Student's interval).
 */
export function compareModels({ models }: Pick<Results, 'models'>): ModelDifference[] {
  const [first, ...others] = models;
  if (first === undefined) return [];
  const compare = isBySeed(first) ? compareSeeds : compareClips;
  const compared = others.map((model) => ({ model, ...compare(first, model) }));
  const adjusted = holmAdjust(compared.map(({ p }) => p ?? 1));
  return compared.map((one, i) => ({ ...one, adjusted: one.p === null ? null : (adjusted[i] ?? null) }));
}

/** How sure models are to differ, all of them together. */
export const DIFFERENCE_LEVEL = 0.05;

/** Whether a model certainly differs from the first. */
export function isSignificant({ adjusted }: ModelDifference): boolean {
  return adjusted !== null && adjusted <= DIFFERENCE_LEVEL;
}

/** With enough seeds, they and not the clips say how sure a difference is. */
export function isBySeed({ runs }: ModelResult): boolean {
  return runs.length >= SEEDS_FOR_INTERVAL;
}

type Comparison = Omit<ModelDifference, 'model' | 'adjusted'>;

function compareClips(first: ModelResult, other: ModelResult): Comparison {
  // The seeds answer the same clips, so only one of them may count.
  const rightOf = ({ runs }: ModelResult) => (runs[0]?.answers ?? []).map(({ right }) => right);
  const discordance = countDiscordant(rightOf(other), rightOf(first));
  return { ...pairedDifference(discordance), p: mcnemarTest(discordance), discordance };
}

function compareSeeds(first: ModelResult, other: ModelResult): Comparison {
  const accuracies = ({ runs }: ModelResult) => runs.map(({ test }) => test.accuracy);
  const { mean, low, high, p } = pairedTTest(accuracies(other), accuracies(first));
  return { difference: mean, low, high, p, discordance: null };
}

/** The differences from the first model as a table; null for a single model. */
export function tabulateDifferences(results: Results): Table | null {
  const [first] = results.models;
  const differences = compareModels(results);
  if (first === undefined || differences.length === 0) return null;
  const bySeed = isBySeed(first);
  const seeds = results.seeds.length;
  return {
    id: 'table-differences',
    caption: `Difference in test accuracy from ${first.title}`,
    columns: [
      { label: 'Model' },
      { label: 'Difference', numeric: true },
      { label: '95\u00a0% interval', numeric: true },
      ...(bySeed
        ? []
        : [
            { label: 'Only it is right', numeric: true },
            { label: `Only ${first.title} is right`, numeric: true },
          ]),
      { label: 'p', numeric: true },
      { label: 'p, corrected', numeric: true },
    ],
    rows: differences.map((one): Cell[] => [
      { text: one.model.title },
      { text: formatPoints(one.difference) },
      one.low === null || one.high === null ? MISSING : { text: formatPointsRange(one.low, one.high) },
      ...(one.discordance === null
        ? []
        : [
            { text: formatCount(one.discordance.onlyFirst) },
            { text: formatCount(one.discordance.onlySecond) },
          ]),
      one.p === null ? MISSING : { text: formatP(one.p) },
      one.adjusted === null ? MISSING : { text: formatP(one.adjusted) },
    ]),
    notes: [
      [
        bySeed
          ? `Paired by seed: each of ${seeds} seeds is compared with itself (paired t test, Student’s interval). `
          : `Clip by clip${seeds > 1 ? `, with seed ${results.seeds[0]}, because the other answers are to the same clips` : ''}: exact McNemar test, interval of Agresti and Min. `,
        `The last column is corrected after Holm for ${spellCount(differences.length)} ${differences.length === 1 ? 'comparison' : 'comparisons'}; the intervals are not. A large p is no evidence that models are equal.`,
        ...(differences.some(({ p }) => p === null)
          ? [' –: all seeds differ by the same, which leaves nothing to estimate an interval or p from.']
          : []),
      ],
    ],
  };
}
