import { meanInterval, movingMean, summarise } from '../../verdicts/stats/means.ts';
import { formatShare } from '../../verdicts/words.ts';
import { SEEDS_FOR_INTERVAL } from '../data/outcome.ts';
import type { EpochPoint, RunResult, Series } from '../data/results.ts';
import { DASHES, type LineMark, type Panel, type PanelSpec } from '../drawing/figure.ts';
import {
  breakTitle,
  COUNT_LABELS,
  colorVariable,
  linearAxis,
  logTicks,
  PERCENT_LABELS,
} from '../drawing/theme.ts';

/** One quantity over training, ready to draw. */
interface EpochSeries {
  readonly line: readonly EpochPoint[];
  /** The measured values, if `line` is a moving mean of them. */
  readonly raw: readonly EpochPoint[];
  /** The spread over several seeds: see `describeBand`. */
  readonly band: readonly { readonly epoch: number; readonly low: number; readonly high: number }[];
}

export interface SeriesOptions {
  /** How many epochs a moving mean is over, an even number; null for the values as measured. */
  readonly window: number | null;
  /** The values that the quantity can have; an interval does not reach beyond. */
  readonly bounds: readonly [number, number];
}

/**
 * One quantity of a model's runs over the epochs: the mean over seeds, with a band if there are several. With many epochs, each seed is
 * smoothed first. From three seeds on, the band is Student's 95 % interval of the mean at that epoch; with two, it is their range.
 */
export function buildSeries(
  runs: readonly RunResult[],
  pick: (run: RunResult) => Series,
  { window, bounds }: SeriesOptions,
): EpochSeries {
  const measured = runs.map((run) => toPoints(run.metrics.epochs, pick(run)));
  const drawn =
    window === null
      ? measured
      : runs.map((run) => toPoints(run.metrics.epochs, movingMean(pick(run), window / 2)));
  if (runs.length <= 1) return { line: drawn.flat(), raw: window === null ? [] : measured.flat(), band: [] };
  return averageSeeds(drawn, bounds);
}

/** The mean over seeds at each epoch, with a band. @param seeds the points of each, more than one */
export function averageSeeds(
  seeds: readonly (readonly EpochPoint[])[],
  bounds: SeriesOptions['bounds'],
): EpochSeries {
  const perEpoch = new Map<number, number[]>();
  for (const { epoch, value } of seeds.flat()) {
    perEpoch.set(epoch, [...(perEpoch.get(epoch) ?? []), value]);
  }
  const sorted = [...perEpoch].sort(([a], [b]) => a - b);
  return {
    line: sorted.map(([epoch, values]) => ({ epoch, value: summarise(values).mean })),
    raw: [],
    band: sorted.map(([epoch, values]) => {
      const [low, high] = spanOf(values);
      return { epoch, low: Math.max(low, bounds[0]), high: Math.min(high, bounds[1]) };
    }),
  };
}

function spanOf(values: readonly number[]): [number, number] {
  const { min, max } = summarise(values);
  const { low, high } = meanInterval(values);
  return values.length < SEEDS_FOR_INTERVAL || low === null || high === null ? [min, max] : [low, high];
}

/**
 * Values that do not come from a run, such as the authors' logs: smoothed like those of a run, at epochs with a value.
 *
 * @param points in ascending epochs
 * @param lastEpoch later points are not drawn, but still count in the moving means
 */
export function buildPointSeries(
  points: readonly EpochPoint[],
  { window }: Pick<SeriesOptions, 'window'>,
  lastEpoch: number,
): EpochSeries {
  const first = points[0]?.epoch ?? 0;
  const dense = new Array<number | null>((points.at(-1)?.epoch ?? -1) - first + 1).fill(null);
  for (const { epoch, value } of points) dense[epoch - first] = value;
  const smooth = window === null ? [] : movingMean(dense, window / 2);
  const line = points.map(({ epoch, value }) => ({ epoch, value: smooth[epoch - first] ?? value }));
  return { line: line.filter(({ epoch }) => epoch <= lastEpoch), raw: [], band: [] };
}

/** Without the values that a logarithmic scale cannot show. */
export function onlyPositive({ line, raw, band }: EpochSeries): EpochSeries {
  const isPositive = ({ value }: EpochPoint): boolean => value > 0;
  return {
    line: line.filter(isPositive),
    raw: raw.filter(isPositive),
    band: band.filter(({ low }) => low > 0),
  };
}

/** Smallest and largest value drawn from an epoch on, by default from the first; null if there is none. */
export function drawnExtent(list: readonly EpochSeries[], from = 0): [number, number] | null {
  let [lowest, highest] = [Infinity, -Infinity];
  const take = (epoch: number, low: number, high: number): void => {
    if (epoch < from) return;
    lowest = Math.min(lowest, low);
    highest = Math.max(highest, high);
  };
  for (const { line, raw, band } of list) {
    for (const { epoch, value } of [...line, ...raw]) take(epoch, value, value);
    for (const { epoch, low, high } of band) take(epoch, low, high);
  }
  return lowest > highest ? null : [lowest, highest];
}

function toPoints(epochs: readonly number[], values: Series): EpochPoint[] {
  return epochs.flatMap((epoch, index) => {
    const value = values[index] ?? null;
    return value === null ? [] : [{ epoch, value }];
  });
}

export interface EpochLine {
  /** Its name in texts. */
  readonly label: string;
  readonly series: EpochSeries;
  readonly color: string;
  readonly mark: LineMark;
}

export interface ValueAxis {
  readonly domain: readonly [number, number];
  readonly axisTitle: string;
  /** d3 format of the labels; `percent` shows shares as percentages. */
  readonly format: string | 'percent';
  /** Default `linear`. A logarithmic one shows only positive values. */
  readonly scale?: 'linear' | 'log';
  readonly level?: { readonly value: number; readonly label: string };
  /** Whether lines are cut off at the edge of the plot; by default, all are inside. */
  readonly clip?: boolean;
}

interface EpochPanelOptions extends ValueAxis {
  readonly title: string;
  readonly lines: readonly EpochLine[];
  /** What the horizontal axis counts, if not epochs. */
  readonly counts?: string;
  /** First and last epoch of every panel of the figure. */
  readonly epochs: readonly [number, number];
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

/** Up to this many epochs, dots mark single epochs without touching. */
const DOTS_UP_TO_EPOCHS = 30;

/** A plot over training epochs, or over what else `counts`. Its geometry does not depend on text widths, so the panels of a figure align. */
export function drawEpochPanel(options: EpochPanelOptions): Panel {
  const { size } = options;
  const title = breakTitle(options.title, size.width);
  const channels = channelsOf(options);
  const spec: PanelSpec = {
    width: size.width - PADDING.left - PADDING.right,
    height: size.height - PADDING.top - PADDING.bottom,
    padding: { ...PADDING, top: PADDING.top + title.extraHeight },
    autosize: 'none',
    title: { text: title.lines, dx: -PADDING.left + 4 },
    layer: [...drawLevel(options, channels.y), ...drawLines(options, channels)],
  };
  return { title: options.title, spec, width: size.width, height: size.height + title.extraHeight };
}

function channelsOf(options: EpochPanelOptions) {
  const { epochs, counts = 'epoch', axisTitle, format, domain, scale } = options;
  const [first, last] = epochs;
  // A single epoch is in the middle.
  const ends = first === last ? [first - 1, last + 1] : epochs;
  const ticks = scale === 'log' ? logTicks(domain) : null;
  return {
    x: linearAxis('epoch', ends, {
      title: counts,
      labelExpr: COUNT_LABELS,
      grid: false,
      ...(last - first < 6
        ? { values: Array.from({ length: last - first + 1 }, (_, index) => first + index) }
        : { tickCount: 6, tickMinStep: 1 }),
    }),
    y: {
      ...linearAxis('value', domain, {
        title: axisTitle,
        titlePadding: 10,
        ...(format === 'percent' ? { labelExpr: PERCENT_LABELS } : { format }),
        ...(ticks === null ? { tickCount: 5 } : { values: ticks }),
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
  const thick = lines.filter(({ mark }) => mark !== 'thin');
  const draw = (points: readonly object[], mark: Mark, encoding: Encoding = { x, y }): Layer[] =>
    points.length === 0 ? [] : [{ data: { values: [...points] }, mark: { clip, ...mark }, encoding }];
  const drawLine = ({ series, color, mark }: EpochLine): Layer[] =>
    draw(series.line, {
      type: 'line',
      color: colorVariable(color),
      strokeWidth: mark === 'line' ? 2.2 : mark === 'thin' ? 1.2 : 1.6,
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
    ...lines.filter(({ mark }) => mark === 'thin').flatMap(drawLine),
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

/** The vertical axis that suits the smallest and largest value to be drawn. */
export type ChooseAxis = (lowest: number, highest: number) => ValueAxis;

/**
 * Gives all panels of a figure the same axis.
 *
 * @param settled first and last epoch of a long training: cuts off its first steps, so that the axis can begin where the values settle (the
 * smallest after the first tenth of the epochs), because the differences between models are a tenth of what they have in common
 * @returns with notes for the caption, if something is cut off or an axis of shares does not begin at 0, so that lengths cannot be compared
 */
export function fitAxis(
  lines: readonly EpochLine[],
  choose: ChooseAxis,
  settled: readonly [number, number] | null,
): { readonly axis: ValueAxis; readonly notes: readonly string[] } {
  const series = lines.map((line) => line.series);
  const [lowest, highest] = drawnExtent(series) ?? [0, 1];
  const from = settled === null ? 0 : settled[0] + (settled[1] - settled[0]) / 10;
  const axis = choose(drawnExtent(series, from)?.[0] ?? lowest, highest);
  const begin = `The axis begins at ${formatShare(axis.domain[0])}`;
  if (settled !== null && lowest < axis.domain[0]) {
    return {
      axis: { ...axis, clip: true },
      notes: [`${begin}: lower values in the first epochs are cut off.`],
    };
  }
  return { axis, notes: axis.format === 'percent' && axis.domain[0] > 0 ? [`${begin}.`] : [] };
}
