import { isObject } from '../../base/files/shape.ts';
import { sumCells } from '../../verdicts/answers.ts';
import { crossedMean, middleInterval, resampleCrossed, sizeReaching } from '../../verdicts/stats/crossed.ts';
import type { Interval } from '../../verdicts/stats/proportions.ts';
import { formatPercentRange, formatShare, groupDigits, joinWords } from '../../verdicts/words.ts';
import { listGuessers } from '../data/outcome.ts';
import { seedsOf, tableOf } from '../data/question.ts';
import type { ModelResult, Results } from '../data/results.ts';
import { makeTable, numberColumn, type Section, type Table } from '../page/document.ts';

/** How wide a network with one τ per layer has to be to equal one with a τ per neuron; nothing unless the run has both at several widths. */
export function describeWidths(results: Results): Section[] {
  const widths = compareWidths(results);
  if (widths === null) return [];
  const { layer, neuron } = widths;
  const equal = neuron.flatMap(({ width, equal: at }) =>
    at === null ? [] : [`${nameWidth(at, layer)} for ${width}`],
  );
  const found =
    equal.length === 0
      ? 'This run cannot tell which width with one τ per layer equals which with a τ per neuron.'
      : `Channels with one τ per layer that are as accurate as with a τ per neuron: ${joinWords(equal)}.`;
  return [
    {
      id: 'widths',
      title: 'Width against τ',
      blocks: [
        { kind: 'paragraph', text: [{ strong: found }], lead: true },
        { kind: 'table', table: tabulateWidths(widths) },
      ],
    },
  ];
}

function tabulateWidths({ layer, neuron }: Widths): Table {
  return makeTable<EqualWidth>(
    {
      id: 'table-widths',
      caption: 'Width of the network with one τ per layer that is as accurate as one with a τ per neuron',
      notes: [
        [
          'Between the trained widths, accuracy is interpolated; where a wider network was less accurate, both count as equally accurate. Each τ is a parameter. Intervals: 95\u00a0%, by bootstrap, for other seeds and users (or clips); ',
          { code: 'docs/claims.md' },
          ' explains them. –: perhaps guessing, or as accurate as all.',
        ],
      ],
    },
    neuron,
    [
      numberColumn('Channels, τ per neuron', ({ width }) => groupDigits(width)),
      numberColumn('Parameters', (one) => groupDigits(parametersOf(one))),
      numberColumn('Test accuracy', ({ accuracy, interval: { low, high } }) => ({
        text: formatShare(accuracy),
        details: [formatPercentRange(low, high)],
      })),
      numberColumn('Equal width, τ per layer', ({ equal, equalInterval: { low, high } }) => {
        const [from, to] = [nameWidth(low, layer), nameWidth(high, layer)];
        return equal === null
          ? null
          : { text: nameWidth(equal, layer), details: [from === to ? from : `${from} to ${to}`] };
      }),
      numberColumn('Its parameters', ({ equal }) => (equal === null ? null : nameParameters(equal, layer))),
    ],
  );
}

/** `13.2`, or `more than 32` outside of the trained widths. */
function nameWidth(width: number, layer: Widths['layer']): string {
  if (width === Number.POSITIVE_INFINITY) return `more than ${layer.at(-1)?.width}`;
  return width === Number.NEGATIVE_INFINITY ? `less than ${layer[0]?.width}` : width.toFixed(1);
}

function parametersOf({ model }: OfWidth): number {
  return model.runs[0]?.parameters ?? 0;
}

/** `40 300`: of a network with one τ per layer of this width, interpolated between the trained ones; null outside of them. */
function nameParameters(width: number, layer: Widths['layer']): string | null {
  const next = layer.findIndex((one) => one.width >= width);
  const [above, below] = [layer[next], layer[next - 1]];
  if (above === undefined || !Number.isFinite(width)) return null;
  if (below === undefined) return groupDigits(parametersOf(above));
  const share = (width - below.width) / (above.width - below.width);
  const between = parametersOf(below) + share * (parametersOf(above) - parametersOf(below));
  return groupDigits(Number(between.toPrecision(3)));
}

/** A network with a τ per neuron, and how wide one with a τ per layer has to be to be as accurate. */
interface EqualWidth extends OfWidth {
  /** The mean over seeds, and its 95 % bootstrap interval over seeds and users. */
  readonly accuracy: number;
  readonly interval: Interval;
  /** ±∞ outside of the trained widths; null if this network may be guessing, or is as accurate as all with a τ per layer. */
  readonly equal: number | null;
  readonly equalInterval: Interval;
}

/** Networks of several widths, by ascending width. */
interface Widths {
  readonly layer: readonly OfWidth[];
  readonly neuron: readonly EqualWidth[];
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
  const table = tableOf(models);
  const cells = [...layer, ...neuron].map(({ model }) => sumCells(table, seedsOf(model), model.id));
  const measure = (accuracies: readonly number[]) => {
    const curve = layer.map(({ width }, i) => ({ size: width, value: accuracies[i]! }));
    const own = accuracies.slice(layer.length);
    return own.map((accuracy) => ({ accuracy, equal: sizeReaching(curve, accuracy) }));
  };
  const means = cells.map((one) => crossedMean(one).mean);
  const found = measure(means);
  const resampled = resampleCrossed(cells, RESAMPLES, measure);
  const guessers = new Set(listGuessers(results).map(({ model }) => model));
  return {
    layer,
    neuron: neuron.map((one, i) => {
      const { accuracy, equal } = found[i]!;
      const isFlat = layer.every((_, at) => means[at] === accuracy);
      return {
        ...{ ...one, accuracy, equal: isFlat || guessers.has(one.model) ? null : equal },
        interval: middleInterval(resampled.map((all) => all[i]!.accuracy)),
        equalInterval: middleInterval(resampled.map((all) => all[i]!.equal)),
      };
    }),
  };
}

interface OfWidth {
  readonly model: ModelResult;
  /** Channels of each convolution. */
  readonly width: number;
}

/** The models that learn a τ of this kind, one for each width; undefined if they are not, or of fewer than two widths. */
function listWidths(models: readonly ModelResult[], per: 'layer' | 'neuron'): OfWidth[] | undefined {
  const found = models.flatMap((model): OfWidth[] => {
    const { tau, neuron, channels: width } = model.runs[0]?.network ?? {};
    const fits = neuron === 'plif' && isObject(tau) && tau.per === per && typeof width === 'number';
    return fits ? [{ model, width }] : [];
  });
  const isCurve = found.length > 1 && new Set(found.map(({ width }) => width)).size === found.length;
  return isCurve ? found.sort((a, b) => a.width - b.width) : undefined;
}
