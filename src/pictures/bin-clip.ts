import type { ClipFrames } from '../results/clip-examples.ts';
import { readClipShape } from './clip-shape.ts';
import { requireCount } from './layout.ts';

/**
 * A clip of events with its pixels binned, for a small picture of a large sensor. No event is lost: the last row and column of bins
 * are smaller where the sensor does not divide.
 *
 * @param frames [T, 2, H, W]
 * @param by pixels binned in each direction
 * @returns [T, 2, ceil(H / by), ceil(W / by)]
 * @throws {ReproError} `pictures` for another shape
 */
export function binClip(frames: ClipFrames, by: number): ClipFrames {
  const { steps, channels, height, width } = readClipShape(frames);
  const size = requireCount(by, 'by');
  const [rows, columns] = [Math.ceil(height / size), Math.ceil(width / size)];
  const data = new Uint32Array(steps * channels * rows * columns);
  let at = 0;
  for (let plane = 0; plane < steps * channels; plane++) {
    for (let y = 0; y < height; y++) {
      const row = (plane * rows + Math.floor(y / size)) * columns;
      for (let x = 0; x < width; x++, at++) data[row + Math.floor(x / size)]! += frames.data[at]!;
    }
  }
  return { shape: [steps, channels, rows, columns], data };
}
