import { isObject } from '../../base/files/shape.ts';
import { capitalise } from '../../base/text.ts';
import { sumCells } from '../../verdicts/answers.ts';
import { crossedMean, middleInterval, resampleCrossed, sizeReaching } from '../../verdicts/stats/crossed.ts';
import type { Interval } from '../../verdicts/stats/proportions.ts';
import {
  formatPercentRange,
  formatShare,
  groupDigits,
  joinWords,
  present,
  spellQuantity,
} from '../../verdicts/words.ts';
import { nameEpoch } from '../data/epochs.ts';
import { listGuessers } from '../data/outcome.ts';
import { seedsOf, tableOf } from '../data/question.ts';
import type { ModelResult, Results } from '../data/results.ts';
import type { Figure } from '../drawing/figure.ts';
import { colorVariable, linearAxis, PERCENT_LABELS } from '../drawing/theme.ts';
import { makeTable, numberColumn, type Section, type Table } from '../page/document.ts';

/** How wide a network with one τ per layer has to be to equal one with a τ per neuron; nothing unless the run has both at several widths. */
export function describeWidths(results: Results): Section[] {
  const widths = compareWidths(results);
  if (widths === null) return [];
  return [
    {
      id: 'widths',
      title: 'Width against τ',
      blocks: [
        { kind: 'paragraph', text: [{ strong: stateWidths(results, widths) }], lead: true },
        { kind: 'figure', figure: drawWidths(results, widths) },
        { kind: 'table', table: tabulateWidths(widths) },
      ],
    },
  ];
}

function stateWidths({ simulated, seeds }: Results, { unit, layer, neuron, users }: Widths): string {
  const told = neuron.filter(({ equal }) => equal !== null);
  const parts = told.map((one, index) => {
    const [at, range] = [nameWidth(one.equal!, layer), nameRange(one, layer)];
    const interval = at === range ? '' : ` (${index === 0 ? '95\u00a0% interval ' : ''}${range})`;
    return `of ${one.width} at ${at}${interval}`;
  });
  const untold = neuron.filter(({ equal }) => equal === null).map(({ width }) => String(width));
  const found = present(
    parts.length > 0 &&
      `a network with one τ per layer equals one with a τ per neuron ${joinWords(parts).replace(' at', ` ${unit} at`)}`,
    untold.length > 0 &&
      `this run cannot tell which width with one τ per layer equals ${joinWords(untold)} ${unit} with a τ per neuron: they are not clearly better than guessing, or every width is as accurate`,
  );
  const sizes = told.map(
    (one) => `${nameParameters(one.equal!, layer)} against ${groupDigits(parametersOf(one))}`,
  );
  const countFewer = (widthOf: (one: EqualWidth) => number) =>
    told.filter((one) => parametersAt(widthOf(one), layer) < parametersOf(one)).length;
  const [fewer, surely] = [countFewer((one) => one.equal!), countFewer((one) => one.equalInterval.high)];
  const cost = ` Each τ counts as a parameter. At these widths, the network with one τ per layer has fewer parameters in ${fewer} of ${told.length} cases (${sizes.join('; ')}), and at the upper end of its interval in ${surely} of ${told.length}.`;
  const where = simulated ? 'On simulated recordings, with' : 'With';
  const whom = users === null ? '' : ` and ${spellQuantity(users, 'test user')}`;
  return `${where} ${spellQuantity(seeds.length, 'seed')}${whom}, ${found.join('; ')}.${told.length === 0 ? '' : cost}`;
}

function tabulateWidths({ unit, layer, neuron, users }: Widths): Table {
  return makeTable<EqualWidth>(
    {
      id: 'table-widths',
      caption: 'Width of the network with one τ per layer that is as accurate as one with a τ per neuron',
      notes: [
        [
          `Between the trained widths, accuracy and parameters (all learned values, τ among them) are interpolated on straight lines; where a wider network was less accurate, both count as equally accurate (isotonic regression). Intervals: 95\u00a0%, of 2,000 bootstrap samples of seeds and ${users === null ? 'clips; with so few seeds' : 'users; with so few of both'}, they are rough. `,
          { code: 'docs/claims.md' },
          ' explains them.',
        ],
      ],
    },
    neuron,
    [
      numberColumn(`${capitalise(unit)}, τ per neuron`, ({ width }) => groupDigits(width)),
      numberColumn('Parameters', (one) => groupDigits(parametersOf(one))),
      numberColumn('Test accuracy', ({ accuracy, interval: { low, high } }) => ({
        text: formatShare(accuracy),
        details: [formatPercentRange(low, high)],
      })),
      numberColumn('Same width, τ per layer', ({ width }) => {
        const same = layer.find((one) => one.width === width);
        if (same === undefined) return null;
        const { low, high } = same.interval;
        return { text: formatShare(same.accuracy), details: [formatPercentRange(low, high)] };
      }),
      numberColumn('Equal width, τ per layer', (one) =>
        one.equal === null ? null : { text: nameWidth(one.equal, layer), details: [nameRange(one, layer)] },
      ),
      numberColumn('Its parameters', (one) => {
        const [from, to] = [one.equalInterval.low, one.equalInterval.high].map((at) =>
          nameParameters(at, layer),
        );
        return one.equal === null
          ? null
          : { text: nameParameters(one.equal, layer), details: [from === to ? from! : `${from} to ${to}`] };
      }),
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

/** Of a network with one τ per layer of this width, interpolated between the trained ones; ±∞ outside of them. */
function parametersAt(width: number, layer: Widths['layer']): number {
  const next = layer.findIndex((one) => one.width >= width);
  const [above, below] = [layer[next], layer[next - 1]];
  if (above === undefined || !Number.isFinite(width)) return width;
  if (below === undefined) return parametersOf(above);
  const share = (width - below.width) / (above.width - below.width);
  return parametersOf(below) + share * (parametersOf(above) - parametersOf(below));
}

/** `40 300`, or `more than 98 821` outside of the trained widths. */
function nameParameters(width: number, layer: Widths['layer']): string {
  const found = parametersAt(width, layer);
  if (found === Number.POSITIVE_INFINITY) return `more than ${groupDigits(parametersOf(layer.at(-1)!))}`;
  if (found === Number.NEGATIVE_INFINITY) return `less than ${groupDigits(parametersOf(layer[0]!))}`;
  // Interpolated: three digits.
  return groupDigits(Number(found.toPrecision(3)));
}

function nameRange({ equalInterval: { low, high } }: EqualWidth, layer: Widths['layer']): string {
  const [from, to] = [nameWidth(low, layer), nameWidth(high, layer)];
  return from === to ? from : `${from} to ${to}`;
}

/** A network of some width, and how accurate it is. */
interface WidthResult {
  readonly model: ModelResult;
  /** Channels of each convolution, or neurons of the hidden layer where there are no convolutions. */
  readonly width: number;
  /** The mean over seeds, and its 95 % bootstrap interval over seeds and users. */
  readonly accuracy: number;
  readonly interval: Interval;
}

/** A network with a τ per neuron, and how wide one with a τ per layer has to be to be as accurate. */
interface EqualWidth extends WidthResult {
  /** ±∞ outside of the trained widths; null if this network may be guessing, or is as accurate as all with a τ per layer. */
  readonly equal: number | null;
  readonly equalInterval: Interval;
}

/** Networks of several widths, by ascending width. */
interface Widths {
  /** What the width counts. */
  readonly unit: 'channels' | 'hidden neurons';
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
  const unit = models.every(({ runs }) => runs[0]?.network.layers === 0) ? 'hidden neurons' : 'channels';
  const [layer, neuron] = (['layer', 'neuron'] as const).map((per) => listWidths(models, per, unit));
  if (layer === undefined || neuron === undefined) return null;
  const table = tableOf(models);
  const all = [...layer, ...neuron];
  const cells = all.map(({ model }) => sumCells(table, seedsOf(model), model.id));
  const measure = (accuracies: readonly number[]) => {
    const curve = layer.map(({ width }, i) => ({ size: width, value: accuracies[i]! }));
    const equal = neuron.map((_, i) => sizeReaching(curve, accuracies[layer.length + i]!));
    return { accuracies, equal };
  };
  const found = measure(cells.map((one) => crossedMean(one).mean));
  const resampled = resampleCrossed(cells, RESAMPLES, measure);
  const guessers = new Set(listGuessers(results).map(({ model }) => model));
  const widths = all.map((one, i): WidthResult => {
    const interval = middleInterval(resampled.map(({ accuracies }) => accuracies[i]!));
    return { ...one, accuracy: found.accuracies[i]!, interval };
  });
  return {
    unit,
    layer: widths.slice(0, layer.length),
    neuron: widths.slice(layer.length).map((one, i) => {
      const isFlat = layer.every((_, at) => found.accuracies[at] === one.accuracy);
      return {
        ...one,
        equal: isFlat || guessers.has(one.model) ? null : found.equal[i]!,
        equalInterval: middleInterval(resampled.map(({ equal }) => equal[i]!)),
      };
    }),
    users: table.hasGroups ? cells[0]!.groups : null,
  };
}

interface OfWidth {
  readonly model: ModelResult;
  readonly width: number;
}

/** The models that learn a τ of this kind, one for each width; undefined if they are not, or of fewer than two widths. */
function listWidths(
  models: readonly ModelResult[],
  per: 'layer' | 'neuron',
  unit: Widths['unit'],
): OfWidth[] | undefined {
  const found = models.flatMap((model): OfWidth[] => {
    const { tau, neuron, channels, hidden } = model.runs[0]?.network ?? {};
    const width = unit === 'channels' ? channels : hidden;
    const fits = neuron === 'plif' && isObject(tau) && tau.per === per && typeof width === 'number';
    return fits ? [{ model, width }] : [];
  });
  const isCurve = found.length > 1 && new Set(found.map(({ width }) => width)).size === found.length;
  return isCurve ? found.sort((a, b) => a.width - b.width) : undefined;
}

const SIZE = { width: 454, height: 260 };
const PADDING = { left: 70, right: 20, top: 12, bottom: 42 };

/** Accuracy against width: one line for networks with a τ per layer, one for those with a τ per neuron. */
export function drawWidths({ models }: Results, { unit, layer, neuron, users }: Widths): Figure {
  const all = [...layer, ...neuron];
  const widths = [...new Set(all.map(({ width }) => width))].sort((a, b) => a - b);
  const describe = (one: WidthResult) =>
    `${formatShare(one.accuracy)} with ${one.width} ${unit} (${groupDigits(parametersOf(one))} parameters)`;
  const lowest = Math.min(...all.map(({ interval }) => interval.low));
  const x = linearAxis('width', [0, widths.at(-1)! * 1.05], { title: unit, values: widths });
  const y = linearAxis('value', [Math.floor(lowest * 20) / 20, 1], {
    title: 'test accuracy',
    labelExpr: PERCENT_LABELS,
  });
  return {
    id: 'widths',
    title: 'Test accuracy against width, with a τ per layer and per neuron',
    caption: `Mean over seeds at the ${nameEpoch(models)}; bars show the 95 % bootstrap interval over seeds and ${users === null ? 'clips' : 'users'}.`,
    alt: [
      `τ per layer: ${layer.map(describe).join(', ')}.`,
      `τ per neuron: ${neuron.map(describe).join(', ')}.`,
    ].join(' '),
    legend: [
      { label: 'τ per layer', color: 'grey', mark: 'dashed' },
      { label: 'τ per neuron', color: 'ink', mark: 'line' },
    ],
    columns: 1,
    panels: [
      {
        title: '',
        spec: {
          width: SIZE.width - PADDING.left - PADDING.right,
          height: SIZE.height - PADDING.top - PADDING.bottom,
          padding: PADDING,
          autosize: 'none',
          layer: [...drawLine(layer, 'grey', [6, 3], -3), ...drawLine(neuron, 'ink', [1, 0], 3)],
          encoding: { x, y },
        },
        ...SIZE,
      },
    ],
    data: [
      [
        ...['model', 'tau_per', unit.replace(' ', '_'), 'parameters', 'accuracy', 'low', 'high'],
        ...['equal_width', 'equal_low', 'equal_high'],
      ],
      ...layer.map((one) => [...tabulate(one, 'layer'), null, null, null]),
      ...neuron.map((one) => [
        ...tabulate(one, 'neuron'),
        ...(one.equal === null
          ? [null, null, null]
          : [one.equal, one.equalInterval.low, one.equalInterval.high].map((value) =>
              Number.isFinite(value) ? value : value > 0 ? 'above' : 'below',
            )),
      ]),
    ],
  };
}

/** @param offset to the right, in px: the bars of both lines stand beside each other */
function drawLine(points: readonly WidthResult[], color: string, dash: readonly number[], offset: number) {
  const values = points.map(({ width, accuracy, interval: { low, high } }) => {
    return { width, value: accuracy, low, high };
  });
  const paint = colorVariable(color);
  const xOffset = { value: offset };
  return [
    {
      data: { values },
      encoding: { xOffset },
      mark: { type: 'line' as const, color: paint, strokeWidth: 1.8, strokeDash: [...dash] },
    },
    {
      data: { values },
      mark: { type: 'rule' as const, color: paint, strokeWidth: 1.5, opacity: 0.65 },
      encoding: { xOffset, y: { field: 'low', type: 'quantitative' as const }, y2: { field: 'high' } },
    },
    {
      data: { values },
      mark: { type: 'point' as const, color: paint, filled: true, size: 50, opacity: 1 },
      encoding: { xOffset },
    },
  ];
}

function tabulate({ model, width, accuracy, interval }: WidthResult, per: string) {
  return [model.id, per, width, model.runs[0]?.parameters ?? null, accuracy, interval.low, interval.high];
}
