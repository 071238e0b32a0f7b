import { encode } from 'fast-png';
import type { ClipFrames } from '../../results/clip-examples.ts';
import { type ClipShape, readClipShape } from './clip.ts';
import { EVENT_PALETTE, eventIndex, findFullCount, GROUND_INDEX, INK_INDEX, shadeOf } from './palette.ts';

interface SheetOptions {
  /** Steps to show, from 0, in reading order; all unless given. The strength of colours is that of the whole clip either way. */
  readonly steps?: readonly number[];
  /** Frames side by side; chosen for a sheet up to about 1600 pixels wide unless given. */
  readonly columns?: number;
  /** Pixels of the picture per pixel of the sensor; chosen for frames of about 256 pixels unless given. */
  readonly factor?: number;
  /** A line at the top: SIMULATED, or a number. Not for still images. */
  readonly caption?: string;
}

interface Picture {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

/** The smallest files; a sheet takes a few tens of milliseconds. */
const ZLIB = { level: 9 } as const;

/**
 * The steps of a clip side by side as a PNG: ON events (brighter) in vermilion, OFF events (darker) in blue, both nearly black, on
 * white; the more events of a pixel, the stronger its colour, by one scale for the whole clip. A still image is only enlarged.
 *
 * @param frames event counts [T, 2, H, W], or a still image [1, 1 or 3, H, W] with values from 0 to 255
 * @returns the same bytes for the same input on every machine
 */
export function contactSheet(frames: ClipFrames, options: SheetOptions = {}): Picture {
  const shape = readClipShape(frames);
  const factor = options.factor ?? chooseFactor(shape);
  if (shape.channels !== 2) return enlarge(frames, shape, factor);
  const { width, height, pixels } = drawEventSheet(frames, shape, factor, options);
  const palette = EVENT_PALETTE.map((color) => [...color]);
  return {
    width,
    height,
    png: encode({ width, height, data: pixels, channels: 1, palette }, { zlib: ZLIB }),
  };
}

/** Steps at even distances, the first and the last among them. @returns at most `most`, from 0 */
export function spreadSteps(steps: number, most: number): number[] {
  if (steps <= most) return Array.from({ length: steps }, (_, step) => step);
  if (most === 1) return [0];
  return Array.from({ length: most }, (_, i) => Math.round((i * (steps - 1)) / (most - 1)));
}

/** Each pixel of a still image as a square; planes of colours become pixels of colours. */
function enlarge({ data }: ClipFrames, { channels, height, width }: ClipShape, factor: number): Picture {
  const size = { width: width * factor, height: height * factor };
  const pixels = new Uint8Array(size.width * size.height * channels);
  for (let y = 0, at = 0; y < size.height; y++) {
    const row = Math.floor(y / factor) * width;
    for (let x = 0; x < size.width; x++) {
      for (let channel = 0; channel < channels; channel++, at++) {
        pixels[at] = data[channel * height * width + row + Math.floor(x / factor)]!;
      }
    }
  }
  return { ...size, png: encode({ ...size, data: pixels, channels }, { zlib: ZLIB }) };
}

/** Pixels per dot of a character, so that it can be read. */
const DOT_PX = 3;
/** Characters are five dots high. */
const TEXT_PX = 5 * DOT_PX;

/**
 * Draws steps of a clip of events side by side, with thin lines between them. If the clip has several, the number of each is above its frame.
 *
 * @param frames [T, 2, H, W]
 */
function drawEventSheet(
  { data }: ClipFrames,
  shape: ClipShape,
  factor: number,
  { caption, ...options }: SheetOptions,
): Canvas {
  const { height, width } = shape;
  const steps = options.steps ?? Array.from({ length: shape.steps }, (_, step) => step);
  const columns = options.columns ?? chooseColumns(steps.length, width * factor);
  const full = findFullCount(data);
  const numbers = shape.steps > 1;
  const label = numbers ? TEXT_PX + 2 * GAP_PX : 0;
  const head = caption === undefined ? 0 : TEXT_PX + 3 * GAP_PX;
  const cell = { width: width * factor + GAP_PX, height: label + height * factor + GAP_PX };
  const canvas = new Canvas(
    GAP_PX + columns * cell.width,
    head + GAP_PX + Math.ceil(steps.length / columns) * cell.height,
    GROUND_INDEX,
  );
  if (caption !== undefined) write(canvas, caption, GAP_PX, 2 * GAP_PX);
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

/** Writes a line in dots: a font would be a dependency, and its rendering would differ from machine to machine. */
function write(canvas: Canvas, text: string, left: number, top: number): void {
  let x = left;
  for (const character of text) {
    const rows = GLYPHS[character]!;
    for (const [y, row] of rows.entries())
      for (const [dot, ink] of [...row].entries())
        if (ink === '#') canvas.fill(x + dot * DOT_PX, top + y * DOT_PX, DOT_PX, DOT_PX, INK_INDEX);
    x += (rows[0]!.length + 1) * DOT_PX;
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
function chooseFactor({ height, width }: Pick<ClipShape, 'height' | 'width'>): number {
  return Math.max(1, Math.round(FRAME_PX / Math.max(height, width)));
}

/** Columns for this many frames: as few rows as fit, equally long. @param framePx width of an enlarged frame */
function chooseColumns(frames: number, framePx: number): number {
  const most = Math.max(1, Math.floor((SHEET_PX - GAP_PX) / (framePx + GAP_PX)));
  return Math.ceil(frames / Math.ceil(frames / most));
}

/** Rows of a character, for the numbers of steps and the mark SIMULATED; # is ink. Every character is 5 high; the digits are all 3 wide. */
const GLYPHS: Readonly<Record<string, readonly string[]>> = {
  '0': ['###', '# #', '# #', '# #', '###'],
  '1': [' # ', '## ', ' # ', ' # ', '###'],
  '2': ['###', '  #', '###', '#  ', '###'],
  '3': ['###', '  #', ' ##', '  #', '###'],
  '4': ['# #', '# #', '###', '  #', '  #'],
  '5': ['###', '#  ', '###', '  #', '###'],
  '6': ['###', '#  ', '###', '# #', '###'],
  '7': ['###', '  #', '  #', ' # ', ' # '],
  '8': ['###', '# #', '###', '# #', '###'],
  '9': ['###', '# #', '###', '  #', '###'],
  A: [' # ', '# #', '###', '# #', '# #'],
  D: ['## ', '# #', '# #', '# #', '## '],
  E: ['###', '#  ', '## ', '#  ', '###'],
  I: ['#', '#', '#', '#', '#'],
  L: ['#  ', '#  ', '#  ', '#  ', '###'],
  M: ['#   #', '## ##', '# # #', '#   #', '#   #'],
  S: [' ##', '#  ', ' # ', '  #', '## '],
  T: ['###', ' # ', ' # ', ' # ', ' # '],
  U: ['# #', '# #', '# #', '# #', '###'],
  ' ': ['  ', '  ', '  ', '  ', '  '],
};
