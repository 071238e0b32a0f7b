import { describe, expect, it } from 'vitest';
import { buildNetwork } from '../../src/snn/networks.ts';
import { drawDropoutMasks } from '../../src/training/dropout.ts';
import { smallNetwork } from './small-task.ts';

const at = { seed: 2020, epoch: 3, batch: 7 };

describe('drawDropoutMasks', () => {
  it('gives one mask a dropout layer, [batch, features]', () => {
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

  it('depends on seed, epoch and batch, each by itself', () => {
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
