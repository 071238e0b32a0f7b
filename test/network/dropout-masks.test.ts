import { describe, expect, it } from 'vitest';
import { drawDropoutMasks } from '../../src/network/dropout-masks.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { mixSeed } from '../../src/network/torch-random.ts';
import { smallNetwork } from '../training/small-task.ts';

const at = { seed: 2020, epoch: 3, batch: 7 };

describe('drawDropoutMasks', () => {
  it('draws the masks that NumPy draws', () => {
    /*
     * Worked out with NumPy, whose RandomState is an MT19937 seeded with one 32-bit number:
     *
     *   def mix(*parts):
     *       h = 0
     *       for part in parts:
     *           h = ((h ^ (part & 0xFFFFFFFF)) + 0x9E3779B9) & 0xFFFFFFFF
     *           h = ((h ^ (h >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
     *           h = ((h ^ (h >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
     *           h ^= h >> 16
     *       return h
     *   words = np.random.RandomState(mix(2020, 3, 7)).randint(0, 2**32, size=8, dtype=np.uint32)
     *   np.where((words & 0xFFFFFF) * 2.0**-24 < 0.5, 2, 0)
     */
    expect(mixSeed(2020, 3, 7)).toBe(1142614885);
    const [first, second] = drawDropoutMasks(buildNetwork({ ...smallNetwork, hidden: 5 }), 1, at);
    expect([...first!]).toEqual([0, 0, 0, 0, 2, 2, 0, 2]); // all 8 features of the first layer
    // The second layer goes on with the stream: with twice as many samples, the first layer takes its numbers.
    const [longer] = drawDropoutMasks(buildNetwork({ ...smallNetwork, hidden: 5 }), 2, at);
    expect(longer!.subarray(8, 13)).toEqual(second);
  });

  it('gives one mask per dropout layer, [batch, features]', () => {
    const spec = buildNetwork({ ...smallNetwork, hidden: 5 });
    expect(drawDropoutMasks(spec, 4, at).map((mask) => mask.length)).toEqual([4 * 8, 4 * 5]);
  });

  it('keeps a share of 1 - p, scaled by 1 / (1 - p)', () => {
    const spec = buildNetwork({ ...smallNetwork, input: [2, 64, 64], dropout: 0.2 });
    const [mask] = drawDropoutMasks(spec, 16, at);
    expect(new Set(mask)).toEqual(new Set([0, 1.25]));
    const kept = mask!.filter((value) => value > 0).length / mask!.length;
    expect(Math.abs(kept - 0.8)).toBeLessThan(0.01); // 4 standard deviations of 32,768 draws
  });

  it('depends on each of seed, epoch and batch', () => {
    const spec = buildNetwork({ ...smallNetwork, input: [2, 16, 16] });
    const variants = [
      at,
      { ...at, seed: 2021 },
      { ...at, epoch: 4 },
      { ...at, batch: 8 },
      { seed: 2020, epoch: 7, batch: 3 },
    ];
    const masks = variants.map((variant) => drawDropoutMasks(spec, 4, variant).join());
    expect(new Set(masks).size).toBe(variants.length);
  });
});
