import type { ClipFrames } from '../results/clip-examples.ts';
import { SHADES } from './palette.ts';

/** The share of a clip's pixels with events that are not at full strength. */
const PERCENTILE = 0.99;

/**
 * The count that has the full strength of its colour: the 99th percentile of all counts above 0, over all steps and both polarities,
 * so that a step with more events looks denser than one with fewer, and a few hot pixels do not make all others faint.
 *
 * @param data [T, 2, H, W]
 * @returns at least 1
 */
export function findFullCount(data: ClipFrames['data']): number {
  const counts = data.filter((count) => count > 0).sort();
  return counts[Math.ceil(counts.length * PERCENTILE) - 1] ?? 1;
}

/**
 * The shade of a count: 0 for none, 1 for the fewest events, `SHADES` from `full` on. It grows with the square root, since most
 * pixels with events have one or two.
 *
 * @param full see `findFullCount`
 */
export function shadeOf(count: number, full: number): number {
  return count >= full ? (count === 0 ? 0 : SHADES) : Math.ceil(SHADES * Math.sqrt(count / full));
}
