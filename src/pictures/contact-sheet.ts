import { encode } from 'fast-png';
import type { ClipFrames } from '../results/clip-examples.ts';
import { type ClipShape, readClipShape } from './clip.ts';
import { chooseColumns, chooseFactor, drawEventSheet } from './event-sheet.ts';
import { EVENT_PALETTE, findFullCount } from './palette.ts';

interface SheetOptions {
  /** Steps to show, from 0; all unless given. The strength of colours is that of the whole clip either way. */
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
 * @throws {ReproError} `pictures` for another shape
 */
export function contactSheet(frames: ClipFrames, options: SheetOptions = {}): Picture {
  const shape = readClipShape(frames);
  const factor = options.factor ?? chooseFactor(shape);
  if (shape.channels !== 2) return enlarge(frames, shape, factor);
  const steps = options.steps ?? Array.from({ length: shape.steps }, (_, step) => step);
  const { width, height, pixels } = drawEventSheet(frames, shape, {
    steps,
    factor,
    columns: options.columns ?? chooseColumns(steps.length, shape.width * factor),
    full: findFullCount(frames.data),
    caption: options.caption ?? null,
  });
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
