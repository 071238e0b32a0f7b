import type { ClipFrames } from '../../results/clip-examples.ts';

/** Red, green and blue, 0 to 255. */
type Color = readonly [red: number, green: number, blue: number];

/** Shades of each polarity, besides none. (1 + 14)² colours for all pairs leave room for a few others among a file's 256. */
export const SHADES = 14;

/**
 * Paper rather than a black screen: as in the figures of papers, a pixel is darker the more events it has, which also prints.
 * Vermilion and blue are from Okabe and Ito's palette: people with common colour vision deficiencies can tell them apart, and
 * neither is lighter than the other by much.
 *
 * @see Okabe and Ito 2008, Color Universal Design
 */
export const COLORS = {
  paper: [255, 255, 255],
  /** Events of brighter pixels, polarity 1. */
  on: [213, 94, 0],
  /** Events of darker pixels, polarity 0. */
  off: [0, 114, 178],
  /** Between and around frames. */
  ground: [222, 226, 230],
  ink: [31, 35, 40],
} as const satisfies Record<string, Color>;

/** Opacity of the faintest shade: a single event has to be visible on paper. */
const FAINTEST = 0.22;

const PAIRS = (SHADES + 1) ** 2;
export const GROUND_INDEX = PAIRS;
export const INK_INDEX = PAIRS + 1;

/** Position in the palette of a pixel with these shades of ON and OFF events, from 0 to `SHADES`. */
export function eventIndex(on: number, off: number): number {
  return on * (SHADES + 1) + off;
}

/** Every pair of shades, then ground and ink. Two polarities mix as two inks do: a pixel with many of both is nearly black. */
export const EVENT_PALETTE: readonly Color[] = [
  ...Array.from({ length: PAIRS }, (_, index): Color => {
    const on = opacity(Math.floor(index / (SHADES + 1)));
    const off = opacity(index % (SHADES + 1));
    const mix = (channel: 0 | 1 | 2): number =>
      Math.round(255 * tint(COLORS.on[channel], on) * tint(COLORS.off[channel], off));
    return [mix(0), mix(1), mix(2)];
  }),
  COLORS.ground,
  COLORS.ink,
];

function opacity(shade: number): number {
  return shade === 0 ? 0 : FAINTEST + ((1 - FAINTEST) * (shade - 1)) / (SHADES - 1);
}

/** The share of light that an ink of this opacity lets through. */
function tint(channel: number, covered: number): number {
  return 1 - covered * (1 - channel / 255);
}

/** The share of a clip's pixels with events that are not at full strength. */
const PERCENTILE = 0.99;

/**
 * The count, at least 1, that has the full strength of its colour: of all counts above 0, over all steps and both polarities, so that a step
 * with more events looks denser than one with fewer, and a few hot pixels do not make all others faint.
 */
export function findFullCount(data: ClipFrames['data']): number {
  const counts = data.filter((count) => count > 0).sort();
  return counts[Math.ceil(counts.length * PERCENTILE) - 1] ?? 1;
}

/**
 * The shade of a count: 0 for none, 1 for the fewest events, `SHADES` from the full count on. It grows with the square root, since most
 * pixels with events have one or two.
 */
export function shadeOf(count: number, full: number): number {
  return count >= full ? (count === 0 ? 0 : SHADES) : Math.ceil(SHADES * Math.sqrt(count / full));
}
