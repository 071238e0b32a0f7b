import { ReproError } from '../errors.ts';
import type { ClipFrames } from '../results/clip-examples.ts';
import { countElements } from '../snn/tensor.ts';

export interface ClipShape {
  /** T. */
  readonly steps: number;
  /** 2: OFF and ON events. 1 or 3: a still image, grey or red, green and blue. */
  readonly channels: 1 | 2 | 3;
  readonly height: number;
  readonly width: number;
}

/**
 * The sizes of a clip, by name.
 *
 * @throws {ReproError} `pictures` if it is neither [T, 2, H, W] nor [1, 1 or 3, H, W], or has another number of elements
 */
export function readClipShape({ shape, data }: ClipFrames): ClipShape {
  const [steps = 0, channels = 0, height = 0, width = 0] = shape;
  const positive = shape.length === 4 && shape.every((size) => Number.isInteger(size) && size >= 1);
  const known = channels === 2 || ((channels === 1 || channels === 3) && steps === 1);
  if (!positive || !known) {
    throw new ReproError(
      'pictures',
      `expected frames [T, 2, H, W], or a still image [1, 1, H, W] or [1, 3, H, W], got [${shape.join(', ')}].`,
    );
  }
  if (data.length !== countElements(shape)) {
    throw new ReproError(
      'pictures',
      `frames [${shape.join(', ')}] need ${countElements(shape)} numbers, got ${data.length}.`,
    );
  }
  return { steps, channels, height, width };
}
