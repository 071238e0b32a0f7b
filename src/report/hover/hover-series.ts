import type { PanelHover } from './panel-hover.ts';
import type { ReadableLine, Readings, ShareUnit } from './readings.ts';

type HoverSeries = PanelHover['series'][number];
type Found = Pick<PanelHover, 'series' | 'axis'>;

/**
 * The values of a panel's lines, ready to be shown.
 *
 * @param range where the ends of the axis are, in px of the panel
 */
export function readSeries(readings: Readings | undefined, range: readonly [number, number]): Found {
  const { axis, domain, lines = [], share } = readings ?? {};
  const series = lines
    .filter(({ points }) => points.length > 0)
    .map(({ label, color, points }): HoverSeries => ({ label, color, ...listValues(points, share) }));
  if (axis === undefined || domain === undefined || series.length === 0) return { series: [], axis: null };
  return { series, axis: { name: axis, domain, range } };
}

function listValues(
  points: ReadableLine['points'],
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
function digitsFor(points: ReadableLine['points']): number {
  const sizes = points.map(([, y]) => Math.abs(y)).filter((size) => size > 0);
  const smallest = sizes.reduce((least, size) => Math.min(least, size), Number.POSITIVE_INFINITY);
  if (!Number.isFinite(smallest)) return 0;
  return Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(smallest))));
}
