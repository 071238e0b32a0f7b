import type { ModelResult, Results, TauDistribution, TauState } from '../results.ts';
import type { CsvValue, Figure, LegendEntry, Panel, PanelSpec } from './figure.ts';
import { colorVariable, cycleColor } from './palette.ts';
import { countLayers } from './tau.ts';

const SIZE = { width: 320, height: 220 };
const PADDING = { left: 58, right: 10, top: 30, bottom: 36 };

/** Half of a violin's width at its widest, in models. */
const HALF_WIDTH = 0.42;

/** Below this spread, in time steps, neurons are drawn as a single τ: a density would be a spike of no height. */
const LEAST_SPREAD = 1e-4;

/** The violin of a model's layer: the quantiles of all seeds, which have as many neurons each; or a tick for each single τ. */
interface Shape {
  /** Horizontal position, in models from 0. */
  readonly at: number;
  readonly title: string;
  readonly color: string;
  readonly samples: readonly number[];
  /** Those samples without the extremes, which stand for few neurons, and would look like many. */
  readonly inner: readonly number[];
  readonly singles: readonly number[];
}

/**
 * The distribution of τ over the neurons of each layer after the last epoch, as violins: one panel per layer, one violin per model.
 *
 * @returns null if every layer of every model has a single τ, which is in the figure over epochs
 * @see Pazderka 2024, figure 1
 */
export function drawTauDistribution(results: Results): Figure | null {
  if (!results.models.some(hasDistribution)) return null;
  const layers = countLayers(results);
  const several = results.seeds.length > 1;
  return {
    id: 'tau-distribution',
    title: 'Time constants of single neurons after the last epoch',
    caption: [
      'One panel per spiking layer, counted from the input, each with its own scale. The width of a violin is the share of the layer’s neurons with that τ (kernel density from the 1st to the 99th percentile, each violin as wide as the others); the bar reaches from the lower to the upper quartile, with a dot at the median, and the thin line from the smallest τ to the largest. A layer with a single τ has a line.',
      ...(several ? [`Neurons of all ${results.seeds.length} seeds are taken together.`] : []),
    ].join(' '),
    alt: [
      `Violin plots of the membrane time constants after the last epoch, one plot for each of ${layers} spiking layers; median and range by layer.`,
      ...results.models.map((model) => describeModel(model, layers)),
    ].join(' '),
    legend: results.models.map(
      ({ title }, index): LegendEntry => ({ label: title, color: cycleColor(index), mark: 'square' }),
    ),
    columns: 3,
    panels: Array.from({ length: layers }, (_, layer) => drawPanel(results.models, layer)),
    data: tabulate(results),
  };
}

function hasDistribution({ runs }: ModelResult): boolean {
  return runs.some(({ layers }) => layers.some(({ taus }) => taus.last.count > 1));
}

function distributionsOf(model: ModelResult, layer: number, state: TauState): TauDistribution[] {
  return model.runs.flatMap(({ layers }) => layers[layer]?.taus[state] ?? []);
}

function shapeOf(model: ModelResult, index: number, layer: number): Shape {
  const spread = ({ taus }: TauDistribution): number => (taus.at(-1) ?? 0) - (taus[0] ?? 0);
  const distributions = distributionsOf(model, layer, 'last');
  const wide = distributions.filter((one) => spread(one) >= LEAST_SPREAD);
  const narrow = distributions.filter((one) => spread(one) < LEAST_SPREAD);
  return {
    at: index,
    title: model.title,
    color: colorVariable(cycleColor(index)),
    samples: wide.flatMap(({ taus }) => taus),
    inner: wide.flatMap(({ taus }) => taus.slice(1, -1)),
    singles: narrow.map(medianOf),
  };
}

function medianOf({ taus }: TauDistribution): number {
  return taus[(taus.length - 1) / 2] ?? Number.NaN;
}

function drawPanel(models: readonly ModelResult[], layer: number): Panel {
  const shapes = models.map((model, index) => shapeOf(model, index, layer));
  const values = shapes.flatMap(({ samples, singles }) => [...samples, ...singles]);
  const [low, high] = values.length === 0 ? [2, 2] : [Math.min(...values), Math.max(...values)];
  const y = {
    field: 'tau',
    type: 'quantitative' as const,
    // With a tick at the very top, the titles of neighbouring panels are level.
    scale: { domain: high > low ? [low, high] : [low - 0.1, high + 0.1], nice: 5, zero: false },
    axis: {
      title: 'τ, time steps',
      titlePadding: 10,
      format: high - low < 0.5 ? '.2f' : '.1f',
      tickCount: 5,
      maxExtent: 34,
      minExtent: 34,
    },
  };
  const x = {
    field: 'at',
    type: 'quantitative' as const,
    scale: { domain: [-0.5, models.length - 0.5], nice: false, zero: false },
    axis: {
      title: null,
      grid: false,
      // The limit below keeps them apart; texts measured too wide would be hidden one by one.
      labelOverlap: false,
      values: models.map((_, index) => index),
      labelExpr: `${JSON.stringify(models.map(({ title }) => title))}[datum.value]`,
      // Titles much longer than those of the thesis would touch; the legend has them in full. Without a browser, texts are measured half
      // as wide again as they are.
      labelLimit: Math.floor((1.5 * (SIZE.width - PADDING.left - PADDING.right)) / models.length) - 4,
    },
  };
  const spec: PanelSpec = {
    width: SIZE.width - PADDING.left - PADDING.right,
    height: SIZE.height - PADDING.top - PADDING.bottom,
    padding: PADDING,
    autosize: 'none',
    title: { text: `Layer ${layer + 1}`, dx: -PADDING.left + 4 },
    layer: [
      // Gives the axes their domain, also where nothing else is drawn.
      { data: { values: [{ at: 0, tau: low }] }, mark: { type: 'point', opacity: 0 }, encoding: { x, y } },
      ...shapes.filter(({ samples }) => samples.length > 0).flatMap((shape) => drawViolin(shape, x, y)),
      {
        data: {
          values: shapes.flatMap(({ at, title, color, singles }) =>
            singles.map((tau) => ({ at, color, tau, tip: `${title}\nτ = ${tau.toFixed(3)}` })),
          ),
        },
        mark: { type: 'tick', orient: 'horizontal', thickness: 2.2, size: 36, opacity: 1 },
        encoding: {
          x,
          y,
          color: { field: 'color', type: 'nominal', scale: null },
          tooltip: { field: 'tip', type: 'nominal' },
        },
      },
    ],
  };
  return { title: `Layer ${layer + 1}`, spec, ...SIZE };
}

type Channel = Readonly<Record<string, unknown>> & { readonly field: string; readonly type: 'quantitative' };
type Layer = PanelSpec['layer'][number];

/** The density of the samples on both sides of the model's position, with the box of the quartiles in it. */
function drawViolin({ at, title, color, samples, inner }: Shape, x: Channel, y: Channel): Layer[] {
  const sorted = [...samples].sort((a, b) => a - b);
  const quantile = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  const box = {
    values: [
      {
        at,
        lowest: quantile(0),
        low: quantile(0.25),
        tau: quantile(0.5),
        high: quantile(0.75),
        highest: quantile(1),
        tip: `${title}\nmedian ${quantile(0.5).toFixed(3)}, quartiles ${quantile(0.25).toFixed(3)} and ${quantile(0.75).toFixed(3)}, from ${quantile(0).toFixed(3)} to ${quantile(1).toFixed(3)}`,
      },
    ],
  };
  const aside = (sign: 1 | -1) => `${at} + ${sign * HALF_WIDTH} * datum.density / datum.peak`;
  return [
    {
      data: box,
      mark: { type: 'rule', color, strokeWidth: 1, opacity: 1 },
      encoding: { x, y: { ...y, field: 'lowest' }, y2: { field: 'highest' } },
    },
    {
      data: { values: inner.map((tau) => ({ tau })) },
      transform: [
        { density: 'tau', as: ['tau', 'density'], steps: 80 },
        { joinaggregate: [{ op: 'max', field: 'density', as: 'peak' }] },
        { calculate: aside(-1), as: 'left' },
        { calculate: aside(1), as: 'right' },
      ],
      mark: {
        type: 'area',
        orient: 'horizontal',
        color,
        opacity: 1,
        fillOpacity: 0.3,
        stroke: color,
        strokeWidth: 1,
      },
      encoding: { x: { ...x, field: 'left' }, x2: { field: 'right' }, y },
    },
    {
      data: box,
      mark: { type: 'rule', color, strokeWidth: 4, opacity: 1 },
      encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' } },
    },
    {
      data: box,
      mark: {
        type: 'point',
        filled: true,
        fill: colorVariable('surface'),
        stroke: color,
        strokeWidth: 1.6,
        size: 34,
        opacity: 1,
      },
      encoding: { x, y, tooltip: { field: 'tip', type: 'nominal' } },
    },
  ];
}

function describeModel(model: ModelResult, layers: number): string {
  const parts = Array.from({ length: layers }, (_, layer) => {
    const distributions = distributionsOf(model, layer, 'last');
    if (distributions.length === 0) return 'none';
    const values = distributions.flatMap(({ taus }) => taus).sort((a, b) => a - b);
    const [low, median, high] = [0, 0.5, 1].map((share) =>
      (values[Math.round(share * (values.length - 1))] ?? Number.NaN).toFixed(2),
    );
    return low === high ? `${median}` : `${median} (${low} to ${high})`;
  });
  return `${model.title}: ${parts.join(', ')}.`;
}

/** One row per model, seed, layer and quantile, after the last epoch and at the chosen one. */
function tabulate(results: Results): CsvValue[][] {
  const rows: CsvValue[][] = [['model', 'seed', 'state', 'layer', 'neurons', 'quantile', 'tau']];
  for (const { id, runs } of results.models) {
    for (const { seed, layers } of runs) {
      for (const state of ['last', 'chosen'] as const) {
        layers.forEach(({ taus: { [state]: distribution } }, layer) => {
          const { count, taus } = distribution;
          taus.forEach((tau, i) => {
            const quantile = taus.length === 1 ? 0.5 : i / (taus.length - 1);
            rows.push([id, seed, state, layer + 1, count, quantile, tau]);
          });
        });
      }
    }
  }
  return rows;
}
