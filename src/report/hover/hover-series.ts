import { DASHES, type LegendEntry, type PanelSpec } from '../figures/figure.ts';
import { colorVariable } from '../figures/palette.ts';
import { isPair, partAt } from '../figures/spec-part.ts';
import { FINE_PERCENT_LABELS, PERCENT_LABELS, POINT_LABELS } from '../figures/theme.ts';
import type { HoverSeries, PanelHover } from './panel-hover.ts';

type Found = Pick<PanelHover, 'series' | 'axis'>;

/** How shares are shown. */
interface ShareUnit {
  readonly digits: number;
  readonly unit: string;
}

/** The unit of shares by the labels of their axis. */
const SHARE_UNITS: ReadonlyMap<unknown, ShareUnit> = new Map([
  [PERCENT_LABELS, { digits: 1, unit: '\u00a0%' }],
  [FINE_PERCENT_LABELS, { digits: 2, unit: '\u00a0%' }],
  [POINT_LABELS, { digits: 1, unit: '\u00a0points' }],
]);

const NOTHING: Found = { series: [], axis: null };

/** The lines of a panel that are in the legend, if its horizontal axis has whole numbers. */
export function readSeries(spec: PanelSpec, legend: readonly LegendEntry[]): Found {
  const layers = spec.layer.map(readLayer).filter((layer) => layer !== null);
  const [first] = layers;
  const left = partAt(spec, 'padding', 'left');
  if (first === undefined || typeof left !== 'number' || typeof spec.width !== 'number') return NOTHING;
  const series = layers.flatMap((layer): HoverSeries[] => {
    const entry = legend.find(
      ({ color, mark }) =>
        layer.color === colorVariable(color) &&
        mark in DASHES &&
        String(DASHES[mark as keyof typeof DASHES]) === String(layer.dash),
    );
    if (entry === undefined || layer.points.length === 0) return [];
    return [{ label: entry.label, color: entry.color, ...listValues(layer.points, layer.share) }];
  });
  if (series.length === 0) return NOTHING;
  return { series, axis: { name: first.axis, domain: first.domain, range: [left, left + spec.width] } };
}

interface Layer {
  readonly color: string;
  readonly dash: unknown;
  readonly axis: string;
  readonly domain: readonly [number, number];
  readonly points: readonly (readonly [x: number, y: number])[];
  /** If values are shares, shown as percentages or their like. */
  readonly share: ShareUnit | undefined;
}

/** A layer that draws one line of its own data; null for others. */
function readLayer(layer: unknown): Layer | null {
  if (partAt(layer, 'mark', 'type') !== 'line') return null;
  const [xField, yField] = [partAt(layer, 'encoding', 'x', 'field'), partAt(layer, 'encoding', 'y', 'field')];
  const domain = partAt(layer, 'encoding', 'x', 'scale', 'domain');
  const axis = partAt(layer, 'encoding', 'x', 'axis', 'title');
  const rows = partAt(layer, 'data', 'values');
  const color = partAt(layer, 'mark', 'color');
  if (typeof xField !== 'string' || typeof yField !== 'string' || typeof axis !== 'string') return null;
  if (!isPair(domain) || !Array.isArray(rows) || typeof color !== 'string') return null;
  const points = rows.flatMap((row): [number, number][] => {
    const [x, y] = [partAt(row, xField), partAt(row, yField)];
    return Number.isInteger(x) && typeof x === 'number' && typeof y === 'number' ? [[x, y]] : [];
  });
  if (points.length !== rows.length) return null;
  const share = SHARE_UNITS.get(partAt(layer, 'encoding', 'y', 'axis', 'labelExpr'));
  return { color, dash: partAt(layer, 'mark', 'strokeDash'), axis, domain, points, share };
}

function listValues(
  points: Layer['points'],
  share: ShareUnit | undefined,
): Pick<HoverSeries, 'from' | 'values' | 'digits' | 'unit'> {
  const byPlace = new Map(points);
  const from = Math.min(...byPlace.keys());
  const to = Math.max(...byPlace.keys());
  const digits = share?.digits ?? digitsFor(points);
  const values = Array.from({ length: to - from + 1 }, (_, index) => {
    const value = byPlace.get(from + index);
    if (value === undefined) return null;
    return Number((share === undefined ? value : 100 * value).toFixed(digits));
  });
  return { from, values, digits, unit: share?.unit ?? '' };
}

/** As many as give the smallest value three figures, within reason: smaller ones are zero on any axis. */
function digitsFor(points: Layer['points']): number {
  const sizes = points.map(([, y]) => Math.abs(y)).filter((size) => size > 0);
  const smallest = sizes.reduce((least, size) => Math.min(least, size), Number.POSITIVE_INFINITY);
  if (!Number.isFinite(smallest)) return 0;
  return Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(smallest))));
}
