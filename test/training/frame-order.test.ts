import { describe, expect, it } from 'vitest';
import { reorderFrames } from '../../src/training/clip-source.ts';
import { memorySource } from '../support/memory-source.ts';

/** Three clips of four frames with two pixels: 0, 1 | 2, 3 | … | 22, 23. */
const source = memorySource(
  Uint8Array.from({ length: 24 }, (_, i) => i),
  3,
  [4, 1, 1, 2],
);

describe('frames in another order', () => {
  it('are back to front with `reversed`, and keep their type', async () => {
    const { shape, data } = await reorderFrames(source, 'reversed').read(Int32Array.of(1));
    expect(shape).toEqual([1, 4, 1, 1, 2]);
    expect(data).toEqual(Uint8Array.of(14, 15, 12, 13, 10, 11, 8, 9));
  });

  it('are each the clip’s mean frame with `mean`', async () => {
    const counts = memorySource(Uint8Array.of(1, 0, 2, 0, 0, 5, 0, 0), 1, [4, 1, 1, 2]);
    const { data } = await reorderFrames(counts, 'mean').read(Int32Array.of(0));
    expect(data).toEqual(Float32Array.of(0.75, 1.25, 0.75, 1.25, 0.75, 1.25, 0.75, 1.25));
  });

  it('are the permutations that NumPy draws for each clip with `shuffled`', async () => {
    /*
     * Worked out with NumPy's RandomState, seeded as in test/network/dropout-masks.test.ts by mix(0x74696d65, row):
     *
     *   order = list(range(4))
     *   for i in range(3):
     *       other = i + int(words[i]) % (4 - i)
     *       order[i], order[other] = order[other], order[i]
     *
     * which gives 0 3 2 1 for row 0, 2 1 3 0 for row 1 and 3 0 1 2 for row 2.
     */
    const shuffled = reorderFrames(source, 'shuffled');
    const { data } = await shuffled.read(Int32Array.of(2, 0));
    expect([...data]).toEqual([22, 23, 16, 17, 18, 19, 20, 21, 0, 1, 6, 7, 4, 5, 2, 3]);
    expect([...(await shuffled.read(Int32Array.of(1))).data]).toEqual([12, 13, 10, 11, 14, 15, 8, 9]);
  });

  it('are drawn anew for each seed and epoch of a training, whatever batch a clip is in', async () => {
    /** Of a clip of eight frames, each its own number. */
    const numbers = memorySource(
      Uint8Array.from({ length: 16 }, (_, i) => i % 8),
      2,
      [8, 1, 1, 1],
    );
    const read = async (rows: number[], seed: number, epoch: number, batch: number) => [
      ...(await reorderFrames(numbers, 'shuffled').read(Int32Array.from(rows), { seed, epoch, batch })).data,
    ];
    const first = await read([1], 2020, 3, 0);
    expect([...first].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect((await read([0, 1], 2020, 3, 5)).slice(8)).toEqual(first);
    const evaluated = [...(await reorderFrames(numbers, 'shuffled').read(Int32Array.of(1))).data];
    const others = [
      evaluated,
      await read([0], 2020, 3, 0),
      await read([1], 2020, 4, 0),
      await read([1], 2021, 3, 0),
    ];
    expect(new Set([first, ...others].map(String)).size).toBe(5);
  });
});
