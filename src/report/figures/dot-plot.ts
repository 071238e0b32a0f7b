import type { Panel, PanelSpec } from '../drawing/figure.ts';
import { bands, linear, nominal, ownColor, PERCENT_LABELS } from '../drawing/theme.ts';

/** A test accuracy with its interval. */
export interface Dot {
  /** The label at the left. */
  readonly row: string;
  /** Which of the dots in that row it is. */
  readonly series: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** A CSS colour. */
  readonly color: string;
  /** The values in words. */
  readonly tip: string;
  /** The value of each seed, shown as ticks. */
  readonly seeds?: readonly number[];
}

interface DotPlot {
  readonly rows: readonly string[];
  /** From top to bottom in each row, with the look of their dots. */
  readonly series: readonly { readonly name: string; readonly look: object }[];
  readonly dots: readonly Dot[];
  /** Room for the labels, in px. */
  readonly left: number;
  readonly top: number;
  readonly height: number;
  /** The first value on the axis; the last is 1. */
  readonly from: number;
  /** Gaps within and around the rows, as shares of a row. */
  readonly gaps: readonly [number, number];
  readonly labels: object;
  readonly bar: { readonly strokeWidth: number; readonly opacity: number };
  /** A vertical line to compare with. */
  readonly level?: { readonly value: number; readonly label: string };
}

const WIDTH = 440;
const RIGHT = 20;
const BOTTOM = 42;

/** The height of a plot without its rows. */
export const AXIS_PX = BOTTOM;

/** Accuracies with their intervals, in rows: several dots in each, one below the other. */
export function drawDotPlot(plot: DotPlot): Panel {
  const { rows, series, dots, left, top, height, level } = plot;
  const x = linear('value', [plot.from, 1], {
    title: 'test accuracy',
    labelExpr: PERCENT_LABELS,
    tickCount: 6,
  });
  const y = bands('row', rows, plot.gaps, plot.labels);
  const yOffset = { ...nominal('series'), sort: null, scale: { domain: series.map(({ name }) => name) } };
  const place = { y, yOffset, color: ownColor() };
  const levels = { values: level === undefined || level.value < plot.from ? [] : [level] };
  const values = dots.map(({ seeds: _, ...dot }) => dot);
  const ticks = dots.flatMap(({ seeds = [], ...dot }) => seeds.map((value) => ({ ...dot, value })));
  const spec: PanelSpec = {
    width: WIDTH - left - RIGHT,
    height: height - top - BOTTOM,
    padding: { left, right: RIGHT, top, bottom: BOTTOM },
    autosize: 'none',
    layer: [
      {
        data: levels,
        mark: { type: 'rule', color: 'currentColor', opacity: 0.6, strokeDash: [3, 3] },
        encoding: { x },
      },
      {
        data: levels,
        mark: {
          type: 'text',
          color: 'currentColor',
          opacity: 0.8,
          align: 'left',
          baseline: 'top',
          dx: 4,
          fontSize: 11,
        },
        encoding: { x, y: { value: -8 }, text: nominal('label') },
      },
      {
        data: { values },
        mark: { type: 'rule', ...plot.bar },
        encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' }, ...place },
      },
      {
        data: { values: ticks },
        mark: { type: 'tick', thickness: 1.2, size: 9, opacity: 0.9 },
        encoding: { x, ...place },
      },
      ...series.map(({ name, look }) => ({
        data: { values: values.filter((dot) => dot.series === name) },
        mark: { type: 'point' as const, opacity: 1, ...look },
        encoding: { x, ...place, tooltip: nominal('tip') },
      })),
    ],
  };
  return { title: '', spec, width: WIDTH, height };
}
