import { PALETTE } from '../drawing/palette.ts';

/** Opacity of the text colour below every cell; it outlines empty cells. */
export const CELL_OUTLINE = 0.05;

/**
 * The relative luminance on which black and white text have the same contrast, √(1.05 · 0.05) − 0.05: 4.58, just enough for small text
 * at level AA. So texts in cells are black or white, never the softer colour of other texts.
 *
 * @see WCAG 2.2, success criterion 1.4.3
 */
const BALANCE = Math.sqrt(1.05 * 0.05) - 0.05;

/** The shares from which on cells need the other text colour: with their share, cells become darker on light pages, lighter on dark pages. */
export const TEXT_SWITCH: Readonly<Record<'light' | 'dark', number>> = {
  light: findSwitch('light'),
  dark: findSwitch('dark'),
};

/** The name in the palette of the text colour of a cell. */
export function cellTextColor(share: number): 'on-pale' | 'on-middle' | 'on-heat' {
  if (share < Math.min(TEXT_SWITCH.light, TEXT_SWITCH.dark)) return 'on-pale';
  return share < Math.max(TEXT_SWITCH.light, TEXT_SWITCH.dark) ? 'on-middle' : 'on-heat';
}

/** The contrast ratio of two relative luminances, from 1 to 21. */
export function contrastOf(a: number, b: number): number {
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** The relative luminance of a cell with this share, from 0 to 1. */
export function cellLuminance(share: number, scheme: 'light' | 'dark'): number {
  const [surface, ink, heat] = ['surface', 'ink', 'heat'].map((name) => channelsOf(name, scheme));
  const mixed = [0, 1, 2].map((i) => {
    const empty = (surface?.[i] ?? 0) * (1 - CELL_OUTLINE) + (ink?.[i] ?? 0) * CELL_OUTLINE;
    return empty * (1 - share) + (heat?.[i] ?? 0) * share;
  });
  return luminanceOf(mixed);
}

/** The relative luminance of a colour of the palette. */
export function paletteLuminance(name: string, scheme: 'light' | 'dark'): number {
  return luminanceOf(channelsOf(name, scheme));
}

/** sRGB, each channel from 0 to 1. */
function channelsOf(name: string, scheme: 'light' | 'dark'): number[] {
  const color = PALETTE[name]?.[scheme] ?? '#000000';
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255);
}

function luminanceOf([red = 0, green = 0, blue = 0]: readonly number[]): number {
  const linear = (value: number): number =>
    value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

/** Halves the interval until a cell at its middle is as good for black as for white text. */
function findSwitch(scheme: 'light' | 'dark'): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    const darkens = scheme === 'light';
    if (cellLuminance(middle, scheme) > BALANCE === darkens) low = middle;
    else high = middle;
  }
  return high;
}
