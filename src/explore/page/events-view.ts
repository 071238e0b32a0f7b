import { describeEvents } from '../accounts.ts';
import type { Frames } from '../messages.ts';
import { mix, type Palette, packPixel } from './palette.ts';
import { prepareCanvas, roomOf, sheetBehind } from './pixel-sheet.ts';

interface Events {
  /** [T, 2, H, W] */
  readonly frames: Frames;
  readonly step: number;
  readonly height: number;
  readonly width: number;
  readonly palette: Palette;
}

/** The most that a pixel's events count for, of each clip. */
const full = new WeakMap<Frames, number>();

/** Draws the events of a step: ON (brighter) full squares, OFF (darker) smaller ones, stronger for more events. */
export function drawEvents(
  canvas: HTMLCanvasElement,
  { frames, step, height, width, palette }: Events,
): void {
  const cell = Math.max(1, Math.floor((roomOf(canvas) * devicePixelRatio) / width));
  const context = prepareCanvas(canvas, { width: cell * width, height: cell * height });
  const sheet = sheetBehind(canvas, width, height);
  const strongest = fullCount(frames);
  const area = height * width;
  let [on, off] = [0, 0];
  for (let i = 0; i < area; i++) {
    const [dark, bright] = [frames[2 * step * area + i]!, frames[(2 * step + 1) * area + i]!];
    on += bright > 0 ? 1 : 0;
    off += dark > 0 ? 1 : 0;
    const opacity = (count: number) =>
      count === 0 ? 0 : 0.22 + 0.78 * Math.min(1, Math.sqrt(count / strongest));
    const color = mix(mix(palette.tint, palette.off, opacity(dark)), palette.on, opacity(bright));
    sheet.pixels[i] = packPixel(color);
  }
  sheet.update();
  context.drawImage(sheet.source, 0, 0, width, height, 0, 0, cell * width, cell * height);
  canvas.setAttribute('aria-label', describeEvents(step, on, off));
}

/** The 99th percentile of the counts above 0, so that a few hot pixels do not make all others faint. */
function fullCount(frames: Frames): number {
  const known = full.get(frames);
  if (known !== undefined) return known;
  const counts = Float32Array.from(frames)
    .filter((count) => count > 0)
    .sort();
  const count = counts[Math.ceil(counts.length * 0.99) - 1] ?? 1;
  full.set(frames, count);
  return count;
}
