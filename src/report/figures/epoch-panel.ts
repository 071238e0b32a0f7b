import { DASHES, isThin, type LineMark, type Panel, type PanelSpec } from '../drawing/figure.ts';
import { colorVariable } from '../drawing/palette.ts';
import {
  COUNT_LABELS,
  FINE_PERCENT_LABELS,
  linearAxis,
  logTicks,
  PERCENT_LABELS,
  POINT_LABELS,
} from '../drawing/theme.ts';
import type { EpochSeries } from './epoch-series.ts';
import { breakTitle } from './panel-title.ts';

export interface EpochLine {
  /** Its name in texts. */
  readonly label: string;
  readonly series: EpochSeries;
  readonly color: string;
  readonly mark: LineMark;
}

/** The distribution of τ over a layer's neurons, in time steps. */
export interface Violin {
  readonly color: string;
  /** Ascending. */
  readonly taus: readonly number[];
  /** Without the extremes: these are few neurons, but would look like many. */
  readonly inner: readonly number[];
}

export interface ValueAxis {
  readonly domain: readonly [number, number];
  readonly axisTitle: string;
  /** d3 format of the labels; `percent` shows shares as percentages, `points` differences of shares. */
  readonly format: string | 'percent' | 'fine-percent' | 'points';
  /** Default `linear`. A logarithmic one shows only positive values. */
  readonly scale?: 'linear' | 'log';
  readonly level?: { readonly value: number; readonly label: string };
  /** Whether lines are cut off at the edge of the plot; by default, all are inside. */
  readonly clip?: boolean;
}

export interface EpochPanelOptions extends ValueAxis {
  readonly title: string;
  readonly lines: readonly EpochLine[];
  /** What the horizontal axis counts, if not epochs. */
  readonly counts?: string;
  /** First and last epoch of every panel of the figure. */
  readonly epochs: readonly [number, number];
  readonly violins?: readonly Violin[];
  /** The number of places for violins, the same in all panels; default 0. The epochs take the rest of the width. */
  readonly places?: number;
  readonly size: PanelSize;
}

export interface PanelSize {
  readonly width: number;
  readonly height: number;
}

type Layer = PanelSpec['layer'][number];
type Mark = Exclude<Extract<Layer, { mark: unknown }>['mark'], string>;
type Encoding = Extract<Layer, { mark: unknown }>['encoding'];
type Channels = ReturnType<typeof channelsOf>;

const PADDING = { left: 62, right: 14, top: 30, bottom: 40 };

/** The width of a place for a violin, and the gap before the first, in px. */
const PLACE = 26;
const PLACES_GAP = 8;

/** Up to this many epochs, dots mark single epochs without touching. */
const DOTS_UP_TO_EPOCHS = 30;

/** The labels of axes of shares. */
const SHARES = new Map([
  ['percent', PERCENT_LABELS],
  ['fine-percent', FINE_PERCENT_LABELS],
  ['points', POINT_LABELS],
]);

/** A plot over training epochs, or over what else `counts`. Its geometry does not depend on text widths, so the panels of a figure align. */
export function drawEpochPanel(options: EpochPanelOptions): Panel {
  const { epochs, size, violins = [], places = 0 } = options;
  const [first, last] = epochs;
  const title = breakTitle(options.title, size.width);
  const plotWidth = size.width - PADDING.left - PADDING.right;
  const asideWidth = places === 0 ? 0 : PLACES_GAP + places * PLACE;
  // A single epoch is in the middle.
  const ends: [number, number] = first === last ? [first - 1, last + 1] : [first, last];
  const perPx = (ends[1] - ends[0]) / (plotWidth - asideWidth);
  const { x, y } = channelsOf(options, [ends[0], ends[1] + perPx * asideWidth]);
  const violinLayers = violins.flatMap((violin, index) => {
    const at = ends[1] + perPx * (PLACES_GAP + (index + 0.5) * PLACE);
    return drawViolin(violin, { x, y }, { at, halfWidth: perPx * (PLACE / 2 - 2) });
  });
  const spec: PanelSpec = {
    width: plotWidth,
    height: size.height - PADDING.top - PADDING.bottom,
    padding: { ...PADDING, top: PADDING.top + title.extraHeight },
    autosize: 'none',
    title: { text: title.lines, dx: -PADDING.left + 4 },
    layer: [...drawLevel(options, y), ...drawLines(options, { x, y }), ...violinLayers],
  };
  return {
    title: options.title,
    spec,
    width: size.width,
    height: size.height + title.extraHeight,
  };
}

/** @param ends of the horizontal axis, in epochs; it has no labels behind the last epoch */
function channelsOf(
  { epochs: [first, last], counts = 'epoch', size, axisTitle, format, domain, scale }: EpochPanelOptions,
  ends: readonly [number, number],
) {
  const end = Math.max(last, first + 1);
  const labelExpr = SHARES.get(format);
  const ticks = scale === 'log' ? logTicks(domain) : null;
  return {
    x: linearAxis('epoch', ends, {
      title: counts,
      labelExpr: ends[1] <= end ? COUNT_LABELS : `datum.value > ${end} ? '' : ${COUNT_LABELS}`,
      grid: false,
      ...(last - first < 6
        ? { values: Array.from({ length: last - first + 1 }, (_, index) => first + index) }
        : { tickCount: size.width < 350 ? 4 : 6, tickMinStep: 1 }),
    }),
    y: {
      ...linearAxis('value', domain, {
        title: axisTitle,
        titlePadding: 10,
        ...(labelExpr === undefined ? { format } : { labelExpr }),
        ...(ticks === null ? { tickCount: size.height < 200 ? 4 : 5 } : { values: ticks }),
        maxExtent: 38,
        minExtent: 38,
      }),
      ...(scale === 'log' ? { scale: { type: 'log' as const, domain: [...domain], nice: false } } : {}),
    },
  };
}

/** Back to front: bands, faint raw values, lines, thin lines. So no band hides another model's line. */
function drawLines({ lines, epochs, clip = false }: EpochPanelOptions, { x, y }: Channels): Layer[] {
  const isDotted = epochs[1] - epochs[0] < DOTS_UP_TO_EPOCHS;
  // Many lines on top of each other would hide the means.
  const faint = { strokeWidth: 0.7, opacity: lines.length > 3 ? 0.16 : 0.3 };
  const thick = lines.filter(({ mark }) => !isThin(mark));
  const draw = (points: readonly object[], mark: Mark, encoding: Encoding = { x, y }): Layer[] =>
    points.length === 0 ? [] : [{ data: { values: [...points] }, mark: { clip, ...mark }, encoding }];
  const drawLine = ({ series, color, mark }: EpochLine): Layer[] =>
    draw(series.line, {
      type: 'line',
      color: colorVariable(color),
      strokeWidth: mark === 'line' ? 2.2 : isThin(mark) ? 1.2 : 1.6,
      strokeDash: [...DASHES[mark]],
      strokeJoin: 'round',
    });
  return [
    ...lines.flatMap(({ series: { band }, color }) =>
      draw(
        band,
        { type: 'area', color: colorVariable(color), opacity: 0.13 },
        { x, y: { ...y, field: 'low' }, y2: { field: 'high' } },
      ),
    ),
    ...lines.flatMap(({ series: { raw }, color }) =>
      draw(raw, { type: 'line', color: colorVariable(color), ...faint }),
    ),
    ...thick.flatMap(drawLine),
    ...(isDotted ? thick : []).flatMap(({ series: { line }, color, mark }) =>
      draw(line, {
        type: 'circle',
        color: colorVariable(color),
        size: mark === 'line' ? 26 : 16,
        opacity: 1,
      }),
    ),
    ...lines.filter(({ mark }) => isThin(mark)).flatMap(drawLine),
  ];
}

function drawLevel({ level, domain }: EpochPanelOptions, y: Channels['y']): Layer[] {
  if (level === undefined || level.value < domain[0] || level.value > domain[1]) return [];
  const data = { values: [{ value: level.value }] };
  return [
    {
      data,
      mark: { type: 'rule', color: 'currentColor', opacity: 0.6, strokeDash: [3, 3] },
      encoding: { y },
    },
    {
      data,
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

/** The density of the neurons on both sides of its place, with the box of the quartiles in it. */
function drawViolin(
  { color, taus, inner }: Violin,
  { x, y }: Channels,
  { at, halfWidth }: { readonly at: number; readonly halfWidth: number },
): Layer[] {
  const quantile = (share: number): number => taus[Math.round(share * (taus.length - 1))] ?? Number.NaN;
  const [lowest, low] = [quantile(0), quantile(0.25)];
  const [median, high, highest] = [quantile(0.5), quantile(0.75), quantile(1)];
  const data = { values: [{ epoch: at, value: median, lowest, low, high, highest }] };
  const span = (from: string, to: string, strokeWidth: number): Layer => ({
    data,
    mark: { type: 'rule', color, strokeWidth, opacity: 1 },
    encoding: { x, y: { ...y, field: from }, y2: { field: to } },
  });
  const aside = (sign: 1 | -1) => `${at} + ${sign * halfWidth} * datum.density / datum.peak`;
  return [
    span('lowest', 'highest', 1),
    {
      data: { values: inner.map((value) => ({ value })) },
      transform: [
        { density: 'value', as: ['value', 'density'], steps: 80 },
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
    span('low', 'high', 4),
    {
      data,
      mark: {
        type: 'point',
        filled: true,
        fill: colorVariable('surface'),
        stroke: color,
        strokeWidth: 1.6,
        size: 34,
        opacity: 1,
      },
      encoding: { x, y },
    },
  ];
}
