import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  augmentImage,
  countDraws,
  cropAndFlip,
  imageSource,
  transformAffinely,
} from '../../src/training/image-source.ts';
import { memorySource } from '../support/memory-source.ts';

/** Two images of 1 x 2 x 2. */
const pixels = memorySource(Uint8Array.of(0, 51, 102, 255, 255, 0, 0, 0), 2, [1, 1, 2, 2]);
const still = { mean: [0.5], std: [0.25], augmentation: 'none' } as const;
const rows = Int32Array.of(1, 0);
const at = { seed: 1, epoch: 2, batch: 3 };

describe('still images for a network', () => {
  test('are scaled to 0 to 1, shifted by the mean and divided by the standard deviation', async () => {
    const { shape, data } = await imageSource(pixels, still, 'clips.json').read(rows);
    expect(shape).toEqual([2, 1, 1, 2, 2]);
    const expected = [2, -2, -2, -2, -2, -1.2, -0.4, 2];
    expect([...data]).toEqual(expected.map((value) => expect.closeTo(value, 6)));
  });

  test('have a mean and a standard deviation for each colour', async () => {
    const colours = memorySource(Uint8Array.of(255, 255, 255), 1, [1, 3, 1, 1]);
    const preparation = { mean: [0, 0.5, 1], std: [1, 0.5, 0.25], augmentation: 'none' } as const;
    const { data } = await imageSource(colours, preparation, 'clips.json').read(Int32Array.of(0));
    expect([...data]).toEqual([1, 1, 0]);
    expect(() => imageSource(colours, still, 'clips.json')).toThrow(
      expect.objectContaining({ code: 'frames-invalid', where: 'clips.json' }),
    );
  });

  test('can be split into strips of rows, one a step, each with all colours', async () => {
    const bytes = Uint8Array.from({ length: 2 * 2 * 4 * 3 }, (_, i) => i);
    const colours = memorySource(bytes, 2, [1, 2, 4, 3]);
    const preparation = { mean: [0, 0], std: [1 / 255, 1 / 255], augmentation: 'none' } as const;
    const { shape, data } = await imageSource(colours, preparation, 'clips.json', 2).read(Int32Array.of(1));
    expect(shape).toEqual([1, 2, 2, 2, 3]);
    // The upper two rows of both colours, then the lower two.
    const from = [24, 36, 30, 42].flatMap((first) => [0, 1, 2, 3, 4, 5].map((i) => first + i));
    expect([...data].map(Math.round)).toEqual(from);
  });

  test('are varied for a training batch only, always in the same way for the same batch', async () => {
    const large = memorySource(
      Uint8Array.from({ length: 2 * 28 * 28 }, (_, i) => (i * 7) % 256),
      2,
      [1, 1, 28, 28],
    );
    const source = imageSource(large, { ...still, augmentation: 'random-affine' }, 'clips.json');
    const plain = await imageSource(large, still, 'clips.json').read(rows);
    expect(await source.read(rows)).toEqual(plain);
    const varied = await source.read(rows, at);
    expect(varied).not.toEqual(plain);
    expect(await source.read(rows, at)).toEqual(varied);
    for (const other of [{ seed: 2 }, { epoch: 3 }, { batch: 4 }]) {
      expect(await source.read(rows, { ...at, ...other })).not.toEqual(varied);
    }
  });
});

interface AffineCase {
  readonly width: number;
  readonly height: number;
  readonly degrees: number;
  readonly right: number;
  readonly down: number;
  readonly scale: number;
  readonly pixels: readonly number[];
  readonly moved: readonly number[];
}

const cases: readonly AffineCase[] = JSON.parse(
  readFileSync(new URL('../fixtures/images/affine.json', import.meta.url), 'utf8'),
);

/** 3 x 3: 1 to 9, row by row. */
const GRID = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
const SIZE = { channels: 1, height: 3, width: 3 };

/** A stream of given numbers that counts how many were taken. */
function streamOf(...numbers: readonly number[]) {
  let taken = 0;
  return {
    uniform: () => numbers[taken++ % numbers.length]!,
    taken: () => taken,
  };
}

describe('an affine map', () => {
  test.each(cases.map((one) => [`${one.width} x ${one.height}, ${one.degrees}°`, one] as const))(
    'is Pillow’s, pixel by pixel: %s',
    (_, { width, height, pixels, moved, ...map }) => {
      const size = { channels: 1, height, width };
      expect([...transformAffinely(Uint8Array.from(pixels), size, map)]).toEqual(moved);
    },
  );

  test('turns clockwise, then shifts right and down', () => {
    const turn = { degrees: 90, scale: 1, right: 0, down: 0 };
    expect([...transformAffinely(GRID, SIZE, turn)]).toEqual([7, 4, 1, 8, 5, 2, 9, 6, 3]);
    const shift = { degrees: 0, scale: 1, right: 1, down: -1 };
    expect([...transformAffinely(GRID, SIZE, shift)]).toEqual([0, 4, 5, 0, 7, 8, 0, 0, 0]);
  });
});

test('a crop is black beyond the image, and the flip comes after it', () => {
  expect([...cropAndFlip(GRID, SIZE, { right: 1, down: 0, flip: false })]).toEqual([
    2, 3, 0, 5, 6, 0, 8, 9, 0,
  ]);
  expect([...cropAndFlip(GRID, SIZE, { right: 1, down: 2, flip: true })]).toEqual([
    0, 9, 8, 0, 0, 0, 0, 0, 0,
  ]);
});

describe('a random variation', () => {
  const image = Uint8Array.from({ length: 3 * 32 * 32 }, (_, i) => i % 255);
  const size = { channels: 3, height: 32, width: 32 };

  test('of MNIST’s kind goes up to 30°, 15 % and 0.85 to 1.11', () => {
    const digit = image.subarray(0, 28 * 28);
    const own = { channels: 1, height: 28, width: 28 };
    const least = { degrees: -30, right: -4, down: -4, scale: 0.85 };
    expect(augmentImage(digit, own, 'random-affine', streamOf(0, 0, 0, 0))).toEqual(
      transformAffinely(digit, own, least),
    );
    const nearOne = 1 - 2 ** -24;
    const most = { degrees: 30, right: 4, down: 4, scale: 1.11 };
    expect(augmentImage(digit, own, 'random-affine', streamOf(nearOne, nearOne, nearOne, nearOne))).toEqual(
      transformAffinely(digit, own, most),
    );
  });

  test('of CIFAR10’s kind shifts by at most 4 pixels either way', () => {
    const least = augmentImage(image, size, 'random-crop-flip', streamOf(0, 0, 0.9));
    expect(least).toEqual(cropAndFlip(image, size, { right: -4, down: -4, flip: false }));
    const most = streamOf(0.999, 0.999, 0.1);
    expect(augmentImage(image, size, 'random-crop-flip', most)).toEqual(
      cropAndFlip(image, size, { right: 4, down: 4, flip: true }),
    );
    expect(most.taken()).toBe(countDraws('random-crop-flip'));
  });
});
