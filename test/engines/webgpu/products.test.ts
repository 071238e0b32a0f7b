import { describe, expect, test } from 'vitest';
import {
  outHeight,
  outWidth,
  type ProductShape,
  productByRows,
  productOfWeights,
  weightSplits,
} from '../../../src/engines/webgpu/kernels/products.ts';
import '../../support/all-close.ts';
import {
  bySample,
  each,
  rows,
  runKernel,
  SAMPLES,
  sum,
  sumOfParts,
  toBits,
  unwritten,
  whole,
} from './run-kernel.ts';
import { hasDevice } from './support.ts';

const image = { height: 5, width: 7, steps: 3 } as const;
const shapes: Readonly<Record<string, ProductShape>> = {
  'spikes, windows of 3 x 3': {
    ...image,
    inChannels: 64,
    outChannels: 32,
    kernel: 3,
    padding: 1,
    input: 'bits',
  },
  'numbers, windows of 5 x 5 that shrink the image': {
    ...image,
    inChannels: 32,
    outChannels: 64,
    kernel: 5,
    padding: 1,
    input: 'dense',
  },
  'a linear layer of several tiles': {
    ...image,
    height: 1,
    width: 1,
    inChannels: 96,
    outChannels: 128,
    kernel: 1,
    padding: 0,
    input: 'dense',
  },
};

describe.skipIf(!hasDevice).each(Object.entries(shapes))(
  'a product is the sum in double precision: %s',
  (_, shape) => {
    const { inChannels, outChannels, kernel, padding, height, width, steps, input } = shape;
    const [toHeight, toWidth] = [outHeight(shape), outWidth(shape)];
    const images = SAMPLES * steps;
    const isBits = input === 'bits';
    const x = rows(images * height * width, inChannels, 1, isBits ? (u) => (u < 0.3 ? 1 : 0) : undefined);
    const source = bySample(isBits ? toBits(x) : x);
    const w = rows(kernel ** 2 * inChannels, outChannels, 2);
    const gradient = rows(images * toHeight * toWidth, outChannels, 3);

    /** The row of the output's pixel that sees pixel (y, x) of an image through a tap; -1 beyond the border. */
    const rowThrough = (
      one: number,
      y: number,
      x: number,
      tap: number,
      direction: 1 | -1,
      [h, w]: [number, number],
    ) => {
      const row = y + direction * (Math.floor(tap / kernel) - padding);
      const column = x + direction * ((tap % kernel) - padding);
      return row < 0 || row >= h || column < 0 || column >= w ? -1 : (one * h + row) * w + column;
    };
    const taps = Array.from({ length: kernel ** 2 }, (__, tap) => tap);
    const placeOf = (row: number, [h, w]: [number, number]): [number, number, number] => [
      Math.floor(row / w / h),
      Math.floor(row / w) % h,
      row % w,
    ];
    const inSize: [number, number] = [height, width];
    const outSize: [number, number] = [toHeight, toWidth];

    test('forward', async () => {
      const { result } = await runKernel(productByRows(shape, 'forward'), {
        source,
        weight: whole(w),
        result: bySample(unwritten(images * toHeight * toWidth * outChannels)),
      });
      const wanted = each(result.length, (i) => {
        const [row, out] = [Math.floor(i / outChannels), i % outChannels];
        return taps.reduce((all, tap) => {
          const from = rowThrough(...placeOf(row, outSize), tap, 1, inSize);
          if (from < 0) return all;
          return (
            all +
            sum(inChannels, (c) => x[from * inChannels + c]! * w[(tap * inChannels + c) * outChannels + out]!)
          );
        }, 0);
      });
      expect(result).toBeAllclose(wanted);
    });

    test('gradient of the input', async () => {
      const { result } = await runKernel(
        productByRows(shape, 'input gradient'),

        {
          source: bySample(gradient),
          weight: whole(w),
          result: bySample(unwritten(x.length)),
        },
      );
      const wanted = each(result.length, (i) => {
        const [row, c] = [Math.floor(i / inChannels), i % inChannels];
        return taps.reduce((all, tap) => {
          const from = rowThrough(...placeOf(row, inSize), tap, -1, outSize);
          if (from < 0) return all;
          return (
            all +
            sum(
              outChannels,
              (out) => gradient[from * outChannels + out]! * w[(tap * inChannels + c) * outChannels + out]!,
            )
          );
        }, 0);
      });
      expect(result).toBeAllclose(wanted);
    });

    test('gradient of the weights', async () => {
      const { parts } = await runKernel(productOfWeights(shape), {
        source,
        gradient: bySample(gradient),
        parts: whole(unwritten(weightSplits(shape) * w.length)),
      });
      const wanted = each(w.length, (i) => {
        const [tap, c, out] = [
          Math.floor(i / outChannels / inChannels),
          Math.floor(i / outChannels) % inChannels,
          i % outChannels,
        ];
        return sum(images * toHeight * toWidth, (row) => {
          const from = rowThrough(...placeOf(row, outSize), tap, 1, inSize);
          return from < 0 ? 0 : x[from * inChannels + c]! * gradient[row * outChannels + out]!;
        });
      });
      expect(sumOfParts(parts, w.length)).toBeAllclose(wanted);
    });
  },
);
