import { wrapText } from '../../base/text.ts';
import type { Panel, PanelSpec } from '../drawing/figure.ts';
import { bands, linearAxis, nominal, OWN_COLOR, PERCENT_LABELS } from '../drawing/theme.ts';

export interface Dot {
  /** The label at the left. */
  readonly row: string;
  readonly series: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** A CSS colour. */
  readonly color: string;
  /** The value of each seed, shown as ticks. */
  readonly seeds?: readonly number[];
}

interface DotPlot {
  /** Of one of several panels. */
  readonly title?: string;
  readonly rows: readonly string[];
  /** From top to bottom in each row, with the look of their dots. */
  readonly series: readonly { readonly name: string; readonly look: object }[];
  readonly dots: readonly Dot[];
  /** In px; more for labels of several lines. */
  readonly rowHeight: number;
  /** First and last value on the axis. */
  readonly domain: readonly [number, number];
  /** Of the axis; test accuracy, if left out. */
  readonly axis?: { readonly title: string; readonly labelExpr: string };
  /** Characters of the longest label, if that is in another panel. */
  readonly labelLength?: number;
  readonly level?: { readonly value: number; readonly label: string };
  /** A shaded range of values. */
  readonly shade?: readonly [number, number];
}

const WIDTH = 440;
const PADDING = { right: 20, top: 12, bottom: 42 };
const TITLE_HEIGHT = 24;
/** Generous width of a character of a label at 12 px, and the most room that labels take. */
const CHARACTER_WIDTH = 7;
const LABELS_AT_MOST = 220;
/** Of a line of a label: it may take half of the width. */
const LABEL_LENGTH = 26;

/** Values with their intervals, in rows: several dots in each, one below the other. */
export function drawDotPlot({ title = '', series, domain, axis, level, shade, ...plot }: DotPlot): Panel {
  const rows = plot.rows.map((row) => wrapText(row, LABEL_LENGTH));
  const rowHeight = Math.max(plot.rowHeight, ...rows.map((row) => row.split('\n').length * 15 + 12));
  const dots = plot.dots.map((dot) => ({ ...dot, row: wrapText(dot.row, LABEL_LENGTH) }));
  const lengths = rows.flatMap((row) => row.split('\n')).map(({ length }) => length);
  const longest = Math.max(plot.labelLength ?? 0, ...lengths);
  const left = Math.min(LABELS_AT_MOST, 16 + CHARACTER_WIDTH * longest);
  const height = rows.length * rowHeight;
  const top = PADDING.top + (title === '' ? 0 : TITLE_HEIGHT);
  const labels = axis ?? { title: 'test accuracy', labelExpr: PERCENT_LABELS };
  const x = linearAxis('value', domain, { ...labels, tickCount: 6 });
  const y = bands('row', rows, [0.3, 0.15], {
    labelExpr: "split(datum.label, '\\n')",
    labelFontSize: 12,
    labelOpacity: 1,
  });
  const yOffset = { ...nominal('series'), sort: null, scale: { domain: series.map(({ name }) => name) } };
  const place = { y, yOffset, color: OWN_COLOR };
  const levels = { values: level === undefined || level.value < domain[0] ? [] : [level] };
  // Beside the level, where there is room.
  const isRight = level !== undefined && level.value > (domain[0] + 2 * domain[1]) / 3;
  const values = dots.map(({ seeds: _, ...dot }) => dot);
  const ticks = dots.flatMap(({ seeds = [], ...dot }) => seeds.map((value) => ({ ...dot, value })));
  const text = { color: 'currentColor', opacity: 0.8, fontSize: 11 };
  const spec: PanelSpec = {
    width: WIDTH - left - PADDING.right,
    height,
    padding: { left, ...PADDING, top },
    ...(title === '' ? {} : { title: { text: title, dx: 4 - left } }),
    autosize: 'none',
    layer: [
      ...(shade === undefined ? [] : [shadeRange(x, shade)]),
      {
        data: levels,
        mark: { type: 'rule', color: 'currentColor', opacity: 0.6, strokeDash: [3, 3] },
        encoding: { x },
      },
      {
        data: levels,
        mark: {
          type: 'text',
          align: isRight ? 'right' : 'left',
          baseline: 'top',
          dx: isRight ? -4 : 4,
          ...text,
        },
        encoding: { x, y: { value: -8 }, text: nominal('label') },
      },
      {
        data: { values },
        mark: { type: 'rule', strokeWidth: 1.5, opacity: 0.65 },
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
        encoding: { x, ...place },
      })),
    ],
  };
  return { title, spec, width: WIDTH, height: top + height + PADDING.bottom };
}

function shadeRange<X extends object>(x: X, [low, high]: readonly [number, number]) {
  return {
    data: { values: [{ low, high }] },
    mark: { type: 'rect' as const, color: 'currentColor', opacity: 0.1 },
    encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' } },
  };
}
