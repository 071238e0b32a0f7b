import type { ClipFrames } from '../results/clip-examples.ts';
import type { ClipShape } from './clip.ts';
import { GLYPH_HEIGHT, setText } from './glyphs.ts';
import { eventIndex, GROUND_INDEX, INK_INDEX, shadeOf } from './palette.ts';

/** Pixels per dot of a character, so that it can be read. */
const DOT_PX = 3;
const TEXT_PX = GLYPH_HEIGHT * DOT_PX;

interface SheetPlan {
  /** Steps to show, from 0, in reading order. */
  readonly steps: readonly number[];
  readonly columns: number;
  /** Pixels of the picture per pixel of the sensor, in each direction. */
  readonly factor: number;
  /** The count at full strength: `findFullCount`. */
  readonly full: number;
  /** A line at the top. */
  readonly caption: string | null;
}

/**
 * Draws steps of a clip of events side by side, with thin lines between them. If the clip has several, the number of each is above its frame.
 *
 * @param frames [T, 2, H, W]
 */
export function drawEventSheet({ data }: ClipFrames, shape: ClipShape, plan: SheetPlan): Canvas {
  const { height, width } = shape;
  const { steps, columns, factor, full, caption } = plan;
  const numbers = shape.steps > 1;
  const label = numbers ? TEXT_PX + 2 * GAP_PX : 0;
  const head = caption === null ? 0 : TEXT_PX + 3 * GAP_PX;
  const cell = { width: width * factor + GAP_PX, height: label + height * factor + GAP_PX };
  const canvas = new Canvas(
    GAP_PX + columns * cell.width,
    head + GAP_PX + Math.ceil(steps.length / columns) * cell.height,
    GROUND_INDEX,
  );
  if (caption !== null) write(canvas, caption, GAP_PX, 2 * GAP_PX);
  for (const [position, step] of steps.entries()) {
    const left = GAP_PX + (position % columns) * cell.width;
    const top = head + GAP_PX + Math.floor(position / columns) * cell.height;
    if (numbers) write(canvas, String(step + 1), left, top + GAP_PX);
    const size = height * width;
    for (let pixel = 0; pixel < size; pixel++) {
      const at = step * 2 * size + pixel;
      const index = eventIndex(shadeOf(data[at + size]!, full), shadeOf(data[at]!, full));
      const [row, column] = [Math.floor(pixel / width), pixel % width];
      canvas.fill(left + column * factor, top + label + row * factor, factor, factor, index);
    }
  }
  return canvas;
}

function write(canvas: Canvas, text: string, left: number, top: number): void {
  for (const { x, y } of setText(text)) {
    canvas.fill(left + x * DOT_PX, top + y * DOT_PX, DOT_PX, DOT_PX, INK_INDEX);
  }
}

class Canvas {
  readonly width: number;
  readonly height: number;
  /** [height, width], positions in a palette. */
  readonly pixels: Uint8Array;

  constructor(width: number, height: number, background: number) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8Array(width * height).fill(background);
  }

  /** Fills a rectangle; what lies outside the picture on the right or below is left out. */
  fill(left: number, top: number, width: number, height: number, index: number): void {
    const right = Math.min(left + width, this.width);
    const bottom = Math.min(top + height, this.height);
    for (let y = top; y < bottom; y++) this.pixels.fill(index, y * this.width + left, y * this.width + right);
  }
}

/** About how large a frame's longer side is drawn, in pixels. */
const FRAME_PX = 256;
/** About how wide a sheet may be: it fits on a screen without scrolling. */
const SHEET_PX = 1600;

/** Pixels between frames. */
const GAP_PX = 4;

/** The whole factor that brings a frame's longer side closest to 256 pixels; 1 for larger sensors. */
export function chooseFactor({ height, width }: Pick<ClipShape, 'height' | 'width'>): number {
  return Math.max(1, Math.round(FRAME_PX / Math.max(height, width)));
}

/** Columns for this many frames: as few rows as fit, equally long. @param framePx width of an enlarged frame */
export function chooseColumns(frames: number, framePx: number): number {
  const most = Math.max(1, Math.floor((SHEET_PX - GAP_PX) / (framePx + GAP_PX)));
  return Math.ceil(frames / Math.ceil(frames / most));
}
