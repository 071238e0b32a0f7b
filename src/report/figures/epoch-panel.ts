import { DASHES, isThin, type LineMark, type Panel, type PanelSpec } from '../drawing/figure.ts';
import type { Readings, ShareUnit } from '../drawing/hover.ts';
import { colorVariable } from '../drawing/palette.ts';
import { COUNT_LABELS, FINE_PERCENT_LABELS, PERCENT_LABELS, POINT_LABELS } from '../drawing/theme.ts';
import type { EpochSeries } from './epoch-series.ts';
import { logTicks } from './fit-axis.ts';
import { breakTitle } from './wrap-text.ts';

export interface EpochLine {
  /** Its name where values are read out. */
  readonly label: string;
  readonly series: EpochSeries;
  readonly color: string;
  readonly mark: LineMark;
}

/** Places to draw in behind the last epoch, on the same axes. */
export interface AsideAxes {
  readonly x: ReturnType<typeof epochChannel>;
  readonly y: ReturnType<typeof valueChannel>;
  /** The middle of a place and half of its width without the gaps, on the axis of epochs; places count from 0. */
  readonly placeOf: (index: number) => { readonly at: number; readonly halfWidth: number };
}

export interface EpochPanelOptions {
  readonly title: string;
  readonly lines: readonly EpochLine[];
  /** First and last epoch of every panel of the figure. */
  readonly epochs: readonly [number, number];
  readonly domain: readonly [number, number];
  readonly axisTitle: string;
  /** d3 format of the labels on the vertical axis; `percent` shows shares as percentages, `points` differences of shares. */
  readonly format: string | 'percent' | 'fine-percent' | 'points';
  /** Of the vertical axis, default `linear`. A logarithmic one shows only positive values. */
  readonly scale?: 'linear' | 'log';
  /** A horizontal line to compare with. */
  readonly level?: { readonly value: number; readonly label: string };
  /** Whether lines are cut off at the edge of the plot; by default, all are inside. */
  readonly clip?: boolean;
  /** What is drawn behind the last epoch, in places side by side; the epochs take the rest of the width. */
  readonly aside?: { readonly places: number; readonly draw: (axes: AsideAxes) => readonly Layer[] };
  readonly size: { readonly width: number; readonly height: number };
}

const PADDING = { left: 62, right: 14, top: 30, bottom: 40 };

/** The width of a place behind the last epoch, and the gap before the first, in px. */
const PLACE = 26;
const PLACES_GAP = 8;

/** Up to this many epochs, dots mark single epochs without touching. */
const DOTS_UP_TO_EPOCHS = 30;

/** A plot over training epochs. Its geometry does not depend on text widths, so the panels of a figure align. */
export function drawEpochPanel(options: EpochPanelOptions): Panel {
  const { width, height } = options.size;
  const plotWidth = plotWidthOf(options);
  const title = breakTitle(options.title, width);
  const spec: PanelSpec = {
    width: plotWidth,
    height: height - PADDING.top - PADDING.bottom,
    padding: { ...PADDING, top: PADDING.top + title.extraHeight },
    autosize: 'none',
    title: { text: title.lines, dx: -PADDING.left + 4 },
    layer: [...drawLevel(options), ...drawLines(options), ...drawAside(options)],
  };
  const extent = 1 - asideWidthOf(options) / plotWidth;
  const readings = { ...listReadings(options), extent };
  return { title: options.title, spec, width, height: height + title.extraHeight, readings };
}

function plotWidthOf({ size }: EpochPanelOptions): number {
  return size.width - PADDING.left - PADDING.right;
}

/** In px. */
function asideWidthOf({ aside }: EpochPanelOptions): number {
  return aside === undefined || aside.places === 0 ? 0 : PLACES_GAP + aside.places * PLACE;
}

/** How many epochs a px is. */
function epochsPerPx(options: EpochPanelOptions): number {
  const [low, high] = domainOf(...options.epochs);
  return (high - low) / (plotWidthOf(options) - asideWidthOf(options));
}

function drawAside(options: EpochPanelOptions): readonly Layer[] {
  const [, end] = domainOf(...options.epochs);
  const scale = epochsPerPx(options);
  const placeOf = (index: number) => ({
    at: end + scale * (PLACES_GAP + (index + 0.5) * PLACE),
    halfWidth: scale * (PLACE / 2 - 2),
  });
  return options.aside?.draw({ x: epochChannel(options), y: valueChannel(options), placeOf }) ?? [];
}

export type Layer = PanelSpec['layer'][number];

/** Back to front: bands, faint raw values, lines, thin lines. So no band hides another model's line. */
function drawLines(options: EpochPanelOptions): Layer[] {
  const { lines } = options;
  const dotted = options.epochs[1] - options.epochs[0] < DOTS_UP_TO_EPOCHS;
  return [
    ...lines.filter(({ series }) => series.band.length > 0).map((line) => drawBand(line, options)),
    ...lines.filter(({ series }) => series.raw.length > 0).map((line) => drawRaw(line, options)),
    ...lines.filter(({ mark }) => !isThin(mark)).map((line) => drawLine(line, options)),
    ...(dotted ? lines.filter(({ mark }) => !isThin(mark)).map((line) => drawDots(line, options)) : []),
    ...lines.filter(({ mark }) => isThin(mark)).map((line) => drawLine(line, options)),
  ];
}

function clipOf({ clip = false }: EpochPanelOptions): { clip?: true } {
  return clip ? { clip } : {};
}

function drawBand({ series, color }: EpochLine, options: EpochPanelOptions): Layer {
  const y = valueChannel(options);
  return {
    data: { values: [...series.band] },
    mark: { type: 'area', color: colorVariable(color), opacity: 0.13, ...clipOf(options) },
    encoding: { x: epochChannel(options), y: { ...y, field: 'low' }, y2: { field: 'high' } },
  };
}

function drawRaw({ series, color }: EpochLine, options: EpochPanelOptions): Layer {
  return {
    data: { values: [...series.raw] },
    mark: {
      type: 'line',
      color: colorVariable(color),
      strokeWidth: 0.7,
      // Many lines on top of each other would hide the means.
      opacity: options.lines.length > 3 ? 0.16 : 0.3,
      ...clipOf(options),
    },
    encoding: { x: epochChannel(options), y: valueChannel(options) },
  };
}

function drawLine({ series, color, mark }: EpochLine, options: EpochPanelOptions): Layer {
  return {
    data: { values: [...series.line] },
    mark: {
      type: 'line',
      color: colorVariable(color),
      strokeWidth: mark === 'line' ? 2.2 : isThin(mark) ? 1.2 : 1.6,
      strokeDash: [...DASHES[mark]],
      strokeJoin: 'round',
      ...clipOf(options),
    },
    encoding: { x: epochChannel(options), y: valueChannel(options) },
  };
}

function drawDots({ series, color, mark }: EpochLine, options: EpochPanelOptions): Layer {
  return {
    data: { values: [...series.line] },
    mark: {
      type: 'circle',
      color: colorVariable(color),
      size: mark === 'line' ? 26 : 16,
      opacity: 1,
      ...clipOf(options),
    },
    encoding: { x: epochChannel(options), y: valueChannel(options) },
  };
}

function drawLevel(options: EpochPanelOptions): Layer[] {
  const { level, domain } = options;
  if (level === undefined || level.value < domain[0] || level.value > domain[1]) return [];
  const y = { ...valueChannel(options), field: 'value' };
  return [
    {
      data: { values: [{ value: level.value }] },
      mark: { type: 'rule', color: 'currentColor', opacity: 0.6, strokeDash: [3, 3] },
      encoding: { y },
    },
    {
      data: { values: [{ value: level.value }] },
      mark: {
        type: 'text',
        text: level.label,
        align: 'right',
        baseline: 'bottom',
        dy: -3,
        fontSize: 11,
        color: 'currentColor',
        opacity: 0.8,
      },
      encoding: { x: { value: 'width' }, y },
    },
  ];
}

function epochChannel(options: EpochPanelOptions) {
  const {
    epochs: [first, last],
    size,
  } = options;
  const [low, high] = domainOf(first, last);
  const end = high + epochsPerPx(options) * asideWidthOf(options);
  return {
    field: 'epoch',
    type: 'quantitative' as const,
    scale: { domain: [low, end], nice: false, zero: false },
    axis: {
      title: 'epoch',
      labelExpr: end === high ? COUNT_LABELS : `datum.value > ${high} ? '' : ${COUNT_LABELS}`,
      grid: false,
      ...(last - first < 6
        ? { values: range(first, last) }
        : { tickCount: size.width < 350 ? 4 : 6, tickMinStep: 1 }),
    },
  };
}

const LABELS: Readonly<Record<string, string>> = {
  percent: PERCENT_LABELS,
  'fine-percent': FINE_PERCENT_LABELS,
  points: POINT_LABELS,
};

function valueChannel({ domain, axisTitle, format, scale = 'linear', size }: EpochPanelOptions) {
  const labelExpr = LABELS[format];
  return {
    field: 'value',
    type: 'quantitative' as const,
    scale:
      scale === 'log'
        ? { type: 'log' as const, domain: [...domain], nice: false }
        : { domain: [...domain], nice: false, zero: false },
    axis: {
      title: axisTitle,
      titlePadding: 10,
      ...(labelExpr === undefined ? { format } : { labelExpr }),
      ...(scale === 'log' ? { values: logTicks(domain) } : { tickCount: size.height < 200 ? 4 : 5 }),
      maxExtent: 38,
      minExtent: 38,
    },
  };
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Units of shares by the format of their axis. */
const SHARE_UNITS: ReadonlyMap<string, ShareUnit> = new Map([
  ['percent', { digits: 1, unit: '\u00a0%' }],
  ['fine-percent', { digits: 2, unit: '\u00a0%' }],
  ['points', { digits: 1, unit: '\u00a0points' }],
]);

/** The values of a panel's lines, for its readers. */
function listReadings({ lines, epochs: [first, last], format }: EpochPanelOptions): Readings {
  const share = SHARE_UNITS.get(format);
  return {
    axis: 'epoch',
    domain: domainOf(first, last),
    lines: lines.map(({ label, color, series }) => ({
      label,
      color,
      points: series.line.map(({ epoch, value }) => [epoch, value]),
    })),
    ...(share === undefined ? {} : { share }),
  };
}

/** The ends of an axis over epochs; a single epoch is in its middle. */
function domainOf(first: number, last: number): [number, number] {
  return first === last ? [first - 1, last + 1] : [first, last];
}
