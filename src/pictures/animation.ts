import { GifWriter } from 'omggif';
import type { ClipFrames } from '../results/clip-examples.ts';
import { readClipShape } from './clip.ts';
import { chooseFactor, drawEventSheet } from './event-sheet.ts';
import { EVENT_PALETTE, findFullCount } from './palette.ts';

interface AnimationOptions {
  /** How long each step is shown, stored in hundredths of a second; browsers show less than 20 ms as 100. */
  readonly delayMs: number;
  /** A line at the top: SIMULATED, or a number. */
  readonly caption?: string | null;
}

/** Room for the palette and everything else at the start of the file. */
const HEAD_BYTES = 1024;
/** Room for the head of a frame; its pixels take at most 12 bits each, and a byte for every 255 of these. */
const FRAME_HEAD_BYTES = 64;

/** As a GIF has it: 256 colours, each one number. */
const GIF_PALETTE = Array.from({ length: 256 }, (_, index) => {
  const [red, green, blue] = EVENT_PALETTE[index] ?? [0, 0, 0];
  return (red << 16) | (green << 8) | blue;
});

/**
 * The steps of a clip one after the other as an animated GIF that repeats forever, in the colours of `contactSheet`.
 *
 * @param frames event counts, [T, 2, H, W]
 * @returns the same bytes for the same input on every machine
 * @throws {ReproError} `pictures` for another shape
 */
export function animation(frames: ClipFrames, { delayMs, caption = null }: AnimationOptions): Uint8Array {
  const shape = readClipShape(frames);
  const plan = { columns: 1, factor: chooseFactor(shape), full: findFullCount(frames.data), caption };
  const sheets = Array.from({ length: shape.steps }, (_, step) =>
    drawEventSheet(frames, shape, { ...plan, steps: [step] }),
  );
  const { width = 0, height = 0 } = sheets[0] ?? {};
  const bytes = new Uint8Array(HEAD_BYTES + sheets.length * (FRAME_HEAD_BYTES + 2 * width * height));
  const gif = new GifWriter(bytes, width, height, { palette: GIF_PALETTE, loop: 0 });
  const delay = Math.round(delayMs / 10); // hundredths of a second
  for (const { pixels } of sheets) gif.addFrame(0, 0, width, height, Array.from(pixels), { delay });
  return bytes.slice(0, gif.end());
}
