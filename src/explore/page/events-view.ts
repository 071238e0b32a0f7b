import type { Frames } from '../messages.ts';
import { describeEvents } from '../words.ts';
import { cssColor, type Palette, type Rgb } from './palette.ts';
import { prepareCanvas, roomOf } from './pixel-sheet.ts';

interface Events {
  /** [T, 2, H, W] */
  readonly frames: Frames;
  readonly step: number;
  readonly height: number;
  readonly width: number;
  readonly palette: Palette;
}

/** Opacity of a single event. */
const FAINTEST = 0.3;

/** The most that a pixel's events count for, of each clip. */
const full = new WeakMap<Frames, number>();

/**
 * Draws the events of a step: ON (brighter) as full squares, OFF (darker) as smaller ones, which may lie on them; stronger for more events.
 * The canvas takes the width of its parent.
 */
export function drawEvents(
  canvas: HTMLCanvasElement,
  { frames, step, height, width, palette }: Events,
): void {
  const cell = Math.max(1, Math.floor((roomOf(canvas) * devicePixelRatio) / width));
  const context = prepareCanvas(canvas, { width: cell * width, height: cell * height });
  context.fillStyle = cssColor(palette.tint);
  context.fillRect(0, 0, canvas.width, canvas.height);
  const strongest = fullCount(frames);
  const drawPolarity = (polarity: 0 | 1, color: Rgb, inset: number) => {
    const start = (2 * step + polarity) * height * width;
    context.fillStyle = cssColor(color);
    let pixels = 0;
    for (let i = 0; i < height * width; i++) {
      const count = frames[start + i]!;
      if (count === 0) continue;
      pixels += 1;
      context.globalAlpha = FAINTEST + (1 - FAINTEST) * Math.min(1, Math.sqrt(count / strongest));
      const [x, y] = [(i % width) * cell, Math.floor(i / width) * cell];
      context.fillRect(x + inset, y + inset, cell - 2 * inset, cell - 2 * inset);
    }
    context.globalAlpha = 1;
    return pixels;
  };
  const on = drawPolarity(1, palette.on, 0);
  const off = drawPolarity(0, palette.off, Math.floor(cell / 5));
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
