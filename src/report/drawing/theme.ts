import type { Config } from 'vega-lite';
import { wrapText } from '../../text.ts';

/** Fonts of a standalone figure; on the page, it inherits the page's. */
export const FONT = 'system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif';

/**
 * Text and axes inherit their colour, so figures are legible on light and dark pages. Marks have no ARIA attributes: a figure is one
 * image with one description.
 */
export const THEME: Config = {
  aria: false,
  background: 'transparent',
  view: { stroke: null },
  axis: {
    domain: false,
    ticks: false,
    grid: true,
    gridColor: 'currentColor',
    gridOpacity: 0.13,
    labelColor: 'currentColor',
    labelOpacity: 0.8,
    labelFontSize: 11,
    labelPadding: 6,
    labelFlush: false,
    titleColor: 'currentColor',
    titleOpacity: 0.8,
    titleFontSize: 11,
    titleFontWeight: 'normal',
    titlePadding: 8,
  },
  title: {
    color: 'currentColor',
    fontSize: 13,
    fontWeight: 600,
    anchor: 'start',
    frame: 'group',
    offset: 8,
  },
};

/** Labels for an axis of shares: `40 %`, with a non-breaking space. */
export const PERCENT_LABELS = "format(datum.value * 100, '.0f') + '\u00a0%'";

/** Labels for an axis of differences of shares, in percentage points: `5`. */
export const POINT_LABELS = "format(datum.value * 100, '.0f')";

/** Labels for an axis of whole numbers, with narrow spaces as thousands separators, as everywhere else. */
export const COUNT_LABELS = "replace(format(datum.value, ',d'), ',', '\u202f')";

export function nominal(field: string) {
  return { field, type: 'nominal' as const };
}

/** The colours themselves are in the data. */
export function ownColor(field = 'color') {
  return { ...nominal(field), scale: null };
}

/** A linear axis that ends exactly at its domain. @param axis null for a drawing in px, without axes */
export function linearAxis<Axis extends object | null>(field: string, domain: readonly number[], axis: Axis) {
  return {
    field,
    type: 'quantitative' as const,
    scale: { domain: [...domain], nice: false, zero: false },
    axis,
  };
}

/** One row or column for each of some names, in their order. */
export function bands<Axis extends object>(
  field: string,
  names: readonly string[],
  [paddingInner, paddingOuter]: readonly [number, number],
  axis: Axis,
) {
  return {
    ...nominal(field),
    sort: null,
    scale: { domain: [...names], paddingInner, paddingOuter },
    axis: { title: null, grid: false, labelLimit: 0, minExtent: 0, ...axis },
  };
}

/**
 * The ticks of a logarithmic axis: powers of ten. If there are few, also 2 and 5 times these (all multiples would make the grid grey); below
 * one decade all multiples.
 *
 * @returns null where even these are too few to estimate values between them: then equal steps suit better
 */
export function logTicks([low, high]: readonly [number, number]): number[] | null {
  const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const digits = high / low < 10 ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : to - from > 3 ? [1] : [1, 2, 5];
  const ticks = Array.from({ length: to - from + 1 }, (_, i) => from + i)
    .flatMap((power) => digits.map((digit) => Number(`${digit}e${power}`)))
    .filter((tick) => tick >= low && tick <= high);
  return ticks.length < 3 ? null : ticks;
}

/** Of a title in bold 13 px, generously. */
const CHARACTER_WIDTH = 7.8;
const LINE_HEIGHT = 16;

/** The lines of a panel's title, and the height of all but the first. */
export function breakTitle(title: string, width: number): { lines: string[]; extraHeight: number } {
  const lines = wrapText(title, Math.floor(width / CHARACTER_WIDTH)).split('\n');
  return { lines, extraHeight: (lines.length - 1) * LINE_HEIGHT };
}
