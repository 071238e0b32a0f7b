import { ReproError } from '../errors.ts';
import type { ClipShape } from './clip-shape.ts';

/** About how large a frame's longer side is drawn, in pixels. */
const FRAME_PX = 256;
/** About how wide a sheet may be: it fits on a screen without scrolling. */
const SHEET_PX = 1600;

/** Pixels between frames. */
export const GAP_PX = 4;

/** The whole factor that brings a frame's longer side closest to 256 pixels; 1 for larger sensors. */
export function chooseFactor({ height, width }: Pick<ClipShape, 'height' | 'width'>): number {
  return Math.max(1, Math.round(FRAME_PX / Math.max(height, width)));
}

/**
 * Columns for this many frames: one row if they fit; otherwise, of the numbers down to half of what fits, the one that leaves the
 * fewest places empty, or the largest such.
 *
 * @param framePx width of an enlarged frame
 */
export function chooseColumns(frames: number, framePx: number): number {
  const most = Math.max(1, Math.floor((SHEET_PX - GAP_PX) / (framePx + GAP_PX)));
  if (frames <= most) return frames;
  let best = most;
  for (let columns = most - 1; columns >= Math.ceil(most / 2); columns--) {
    if (countEmpty(frames, columns) < countEmpty(frames, best)) best = columns;
  }
  return best;
}

function countEmpty(frames: number, columns: number): number {
  return Math.ceil(frames / columns) * columns - frames;
}

/** @throws {ReproError} `pictures` unless it is a whole number from 1 */
export function requireCount(value: number, name: string): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw new ReproError('pictures', `${name} must be a whole number from 1, not ${value}.`);
}
