import { describe, expect, test } from 'vitest';
import { memorySource } from '../../src/training/clip-source.ts';
import { imageSource } from '../../src/training/image-source.ts';

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
