import type { Config } from 'vega-lite';
import { wrapText } from '../../base/text.ts';

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
export const OWN_COLOR = { ...nominal('color'), scale: null };

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

/**
 * Colours by name, for light and dark backgrounds. The first five hues are from Okabe and Ito's palette, which people with common colour vision
 * deficiencies can distinguish; lightness is adjusted so that each is legible on its background.
 *
 * @see Okabe and Ito 2008, Color Universal Design
 */
export const PALETTE: Readonly<Record<string, { readonly light: string; readonly dark: string }>> = {
  ink: { light: '#1f2328', dark: '#e6e8eb' },
  blue: { light: '#0072b2', dark: '#56b4e9' },
  vermilion: { light: '#d55e00', dark: '#ff8b4d' },
  green: { light: '#008a64', dark: '#2fc49a' },
  purple: { light: '#b0528b', dark: '#e69cc6' },
  amber: { light: '#a87600', dark: '#f0c14b' },
  brown: { light: '#7a4b33', dark: '#cf9f86' },
  cyan: { light: '#0b8fa0', dark: '#67d5e3' },
  olive: { light: '#6b7500', dark: '#c0cc4e' },
  grey: { light: '#6b7280', dark: '#a3abb5' },
  heat: { light: '#3f4a56', dark: '#b6c0cb' },
  surface: { light: '#ffffff', dark: '#14171b' },
  // Texts in cells of that colour, from the palest to the fullest: see `confusion.ts`.
  'on-pale': { light: '#000000', dark: '#ffffff' },
  'on-middle': { light: '#000000', dark: '#000000' },
  'on-heat': { light: '#ffffff', dark: '#000000' },
};

/** Only models have these colours; everything else on the page is in shades of grey. */
const MODEL_COLORS = ['blue', 'vermilion', 'green', 'purple', 'amber', 'brown', 'cyan', 'olive'] as const;

/** @param index of a model, from 0; colours repeat after eight */
export function modelColor(index: number): string {
  return MODEL_COLORS[index % MODEL_COLORS.length] ?? 'ink';
}

/** A palette colour as a CSS variable, which follows the page's colour scheme. */
export function colorVariable(name: string): string {
  return `var(--${name})`;
}

/** Replaces the variables in an SVG with the light colours, for standalone files. */
export function fixColors(svg: string): string {
  return svg
    .replace(/var\(--([a-z-]+)\)/g, (whole, name: string) => PALETTE[name]?.light ?? whole)
    .replaceAll('currentColor', PALETTE.ink?.light ?? '#000');
}
