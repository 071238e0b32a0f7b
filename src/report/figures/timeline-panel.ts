import type { Panel, PanelSpec } from '../drawing/figure.ts';
import { colorVariable } from '../drawing/palette.ts';

/** What a bar takes, in px. */
export const ROW = 22;
export const PADDING = { right: 16, top: 34, bottom: 40 };
/** Without a browser, texts are measured half as wide again as they are. */
const MEASURED_WIDE = 1.5;
/** Generous estimate of the mean character width of a label. */
const LABEL_CHARACTER = 6.2;

/** Thousands are separated by narrow spaces, as everywhere else. */
const THIN_SPACES = "replace(datum.label, ',', '\u202f')";

/** Bars with names at the left and labels behind them. */
export interface Bars {
  readonly title: string;
  readonly axisTitle: string;
  readonly width: number;
  /** Where the longest bar ends; the axis goes on, so that labels have room. */
  readonly end: number;
  readonly bars: readonly {
    readonly id: string;
    readonly from: number;
    readonly to: number;
    readonly label: string;
  }[];
}

export function drawBars({ title, axisTitle, width, end, bars }: Bars): Panel {
  const ids = bars.map(({ id }) => id);
  const left = Math.min(width / 2, 20 + 6.6 * Math.max(...ids.map(({ length }) => length)));
  const height = PADDING.top + PADDING.bottom + ids.length * ROW;
  const plotWidth = width - left - PADDING.right;
  const labelWidth = 10 + LABEL_CHARACTER * Math.max(...bars.map(({ label }) => label.length));
  const x = {
    field: 'from',
    type: 'quantitative' as const,
    scale: { domain: [0, end / (1 - Math.min(0.7, labelWidth / plotWidth))], nice: false, zero: false },
    axis: { title: axisTitle, tickCount: width > 400 ? 7 : 4, labelExpr: THIN_SPACES },
  };
  const y = {
    field: 'id',
    type: 'nominal' as const,
    sort: null,
    scale: { domain: ids, paddingInner: 0.3, paddingOuter: 0.15 },
    axis: { title: null, grid: false, labelLimit: MEASURED_WIDE * (left - 8), minExtent: 0 },
  };
  const data = { values: [...bars] };
  const spec: PanelSpec = {
    width: plotWidth,
    height: height - PADDING.top - PADDING.bottom,
    padding: { left, ...PADDING },
    autosize: 'none',
    title: { text: title, dx: -left + 4, limit: MEASURED_WIDE * (width - 8) },
    layer: [
      {
        data,
        mark: { type: 'bar', color: colorVariable('heat'), opacity: 0.85, minBandSize: 2 },
        encoding: { x, x2: { field: 'to' }, y },
      },
      {
        data,
        mark: { type: 'text', align: 'left', dx: 5, fontSize: 10.5, color: 'currentColor' },
        encoding: { x: { ...x, field: 'to' }, y, text: { field: 'label', type: 'nominal' } },
      },
    ],
  };
  return { title, spec, width, height };
}
