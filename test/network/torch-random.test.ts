import { describe, expect, it } from 'vitest';
import { drawLogNormal, TorchRandom } from '../../src/network/torch-random.ts';
import { loadGolden } from '../support/golden.ts';

const golden = loadGolden('rng');
const seed = 2020;

function expectBits(received: Float32Array, name: string): void {
  expect([...received]).toEqual([...golden.float(name).data]);
}

// To the last bit; the parity suite covers every kind of draw, but allows for other processors' normal numbers.
describe('normal numbers with the seed of the golden file', () => {
  it('draws what torch.randn draws, one by one below 16 elements', () => {
    expectBits(new TorchRandom(seed).normals(10), 'randn_10');
  });

  it('draws what torch.randn draws in blocks of 16, redrawing the last block', () => {
    expectBits(new TorchRandom(seed).normals(100), 'randn_100');
  });

  it('keeps the spare normal number of a short draw across a long one', () => {
    const random = new TorchRandom(seed);
    const drawn = [100, 7, 33].flatMap((count) => [...random.normals(count)]);
    expectBits(Float32Array.from(drawn), 'randn_100_then_7_then_33');
  });

  it('draws time constants as the original does', () => {
    expectBits(drawLogNormal(new TorchRandom(seed), 1000, 2, 0.1), 'lognormal_2_0.1_1000');
  });
});

describe('the state of TorchRandom', () => {
  it('resumes where it was saved, in the middle of a block and with a spare normal number', () => {
    const random = new TorchRandom(7);
    random.normals(3);
    const restored = TorchRandom.restore(random.state());
    const draw = (from: TorchRandom) => [...from.normals(4), from.uniform(), ...from.permutation(1000)];
    expect(draw(restored)).toEqual(draw(random));
  });

  it('is a copy: further draws do not change it', () => {
    const random = new TorchRandom(7);
    const state = random.state();
    const first = random.int64();
    for (let i = 0; i < 1000; i++) random.uniform();
    expect(TorchRandom.restore(state).int64()).toBe(first);
  });

  it('counts only the low 32 bits of a seed, as torch does', () => {
    expect(new TorchRandom(2n ** 32n + 5n).int64()).toBe(new TorchRandom(5).int64());
  });
});
