import { isObject } from '../../files/shape.ts';
import { crossedMean, middleInterval, resampleCrossed, sizeReaching } from '../../stats/crossed.ts';
import type { Interval } from '../../stats/proportions.ts';
import { listGuessers } from './outcome.ts';
import { groupByUser, sumByUser } from './question.ts';
import type { ModelResult, Results } from './results.ts';

/** A network of some width, and how accurate it is. */
export interface WidthResult {
  readonly model: ModelResult;
  /** Channels of each convolution. */
  readonly width: number;
  /** The mean over seeds, and its 95 % bootstrap interval over seeds and users. */
  readonly accuracy: number;
  readonly interval: Interval;
}

/** A network with a τ per neuron, and how wide one with a τ per layer has to be to be as accurate. */
export interface EqualWidth extends WidthResult {
  /** ±∞ outside of the trained widths; null if this network may be guessing, or is as accurate as all with a τ per layer. */
  readonly equal: number | null;
  readonly equalInterval: Interval;
}

/** Networks of several widths, by ascending width. */
export interface Widths {
  readonly layer: readonly WidthResult[];
  readonly neuron: readonly EqualWidth[];
  readonly users: number | null;
}

/** Percentiles at 2.5 % then rest on 50 resamples. */
const RESAMPLES = 2000;

/**
 * The width at which a network with one τ per layer has the accuracy of each with a τ per neuron: between the trained widths, linearly
 * interpolated, on a curve that never falls.
 *
 * @returns null unless both kinds were trained at two widths or more, each width once
 */
export function compareWidths(results: Results): Widths | null {
  const { models } = results;
  const [layer, neuron] = (['layer', 'neuron'] as const).map((per) => listWidths(models, per));
  if (layer === undefined || neuron === undefined) return null;
  const groups = groupByUser(models[0]?.runs[0]?.answers ?? []);
  const all = [...layer, ...neuron];
  const tables = all.map(({ model }) => model.runs.map(({ answers }) => sumByUser(answers, groups)));
  const measure = (accuracies: readonly number[]) => {
    const curve = layer.map(({ width }, i) => ({ size: width, value: accuracies[i]! }));
    const equal = neuron.map((_, i) => sizeReaching(curve, accuracies[layer.length + i]!));
    return { accuracies, equal };
  };
  const found = measure(tables.map((table) => crossedMean(table, groups.counts).mean));
  const resampled = resampleCrossed(tables, groups.counts, RESAMPLES, measure);
  const guessers = new Set(listGuessers(results).map(({ model }) => model));
  const widths = all.map((one, i): WidthResult => {
    const interval = middleInterval(resampled.map(({ accuracies }) => accuracies[i]!));
    return { ...one, accuracy: found.accuracies[i]!, interval };
  });
  return {
    layer: widths.slice(0, layer.length),
    neuron: widths.slice(layer.length).map((one, i) => {
      const isFlat = layer.every((_, at) => found.accuracies[at] === one.accuracy);
      return {
        ...one,
        equal: isFlat || guessers.has(one.model) ? null : found.equal[i]!,
        equalInterval: middleInterval(resampled.map(({ equal }) => equal[i]!)),
      };
    }),
    users: groups.users,
  };
}

interface OfWidth {
  readonly model: ModelResult;
  readonly width: number;
}

/** The models that learn a τ of this kind, one for each width; undefined if they are not, or of fewer than two widths. */
function listWidths(models: readonly ModelResult[], per: 'layer' | 'neuron'): OfWidth[] | undefined {
  const found = models.flatMap((model): OfWidth[] => {
    const { tau, neuron, channels } = model.runs[0]?.network ?? {};
    const fits = neuron === 'plif' && isObject(tau) && tau.per === per && typeof channels === 'number';
    return fits ? [{ model, width: channels }] : [];
  });
  const isCurve = found.length > 1 && new Set(found.map(({ width }) => width)).size === found.length;
  return isCurve ? found.sort((a, b) => a.width - b.width) : undefined;
}
