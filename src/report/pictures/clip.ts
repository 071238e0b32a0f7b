import type { ClipFrames } from '../../results/clip-examples.ts';

export interface ClipShape {
  /** T. */
  readonly steps: number;
  /** 2: OFF and ON events. 1 or 3: a still image, grey or red, green and blue. */
  readonly channels: 1 | 2 | 3;
  readonly height: number;
  readonly width: number;
}

/** The sizes of [T, 2, H, W], or of a still image [1, 1 or 3, H, W]. */
export function readClipShape({ shape }: ClipFrames): ClipShape {
  const [steps, channels, height, width] = shape as [number, ClipShape['channels'], number, number];
  return { steps, channels, height, width };
}

/**
 * A clip of events with its pixels binned, for a small picture of a large sensor. The last row and column of bins may be smaller.
 *
 * @param frames [T, 2, H, W]
 * @param by pixels binned in each direction
 * @returns [T, 2, ceil(H / by), ceil(W / by)]
 */
export function binClip(frames: ClipFrames, by: number): ClipFrames {
  const { steps, channels, height, width } = readClipShape(frames);
  const [rows, columns] = [Math.ceil(height / by), Math.ceil(width / by)];
  const data = new Uint32Array(steps * channels * rows * columns);
  let at = 0;
  for (let plane = 0; plane < steps * channels; plane++) {
    for (let y = 0; y < height; y++) {
      const row = (plane * rows + Math.floor(y / by)) * columns;
      for (let x = 0; x < width; x++, at++) data[row + Math.floor(x / by)]! += frames.data[at]!;
    }
  }
  return { shape: [steps, channels, rows, columns], data };
}

/**
 * A clip of a sensor with one row as a single frame of time against column, which can be looked at: time from left to right, the first column (of
 * sound, the lowest band) at the bottom. Others as they are.
 *
 * @param frames [T, 2, 1, W]
 * @returns [1, 2, W, T]
 */
export function turnRow(frames: ClipFrames): ClipFrames {
  const { steps, channels, height, width } = readClipShape(frames);
  if (height > 1 || channels !== 2) return frames;
  const data = new Uint32Array(frames.data.length);
  for (let step = 0, at = 0; step < steps; step++) {
    for (let polarity = 0; polarity < 2; polarity++) {
      for (let x = 0; x < width; x++, at++)
        data[(polarity * width + width - 1 - x) * steps + step] = frames.data[at]!;
    }
  }
  return { shape: [1, 2, width, steps], data };
}
