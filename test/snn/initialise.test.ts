import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { initialState } from '../../src/snn/initialise.ts';
import { buildNetwork, type NetworkConfig } from '../../src/snn/networks.ts';
import { ShapeError } from '../../src/snn/shape-error.ts';
import { thesisNetwork } from '../support/thesis-network.ts';

const index = JSON.parse(readFileSync(new URL('../golden/index.json', import.meta.url), 'utf8'));
const golden: {
  seed: number;
  layer_tau: Record<string, { shape: number[]; sha256_f32le: string }>;
  neuron_tau: Record<string, { shape: number[]; sha256_f32le: string }>;
} = index.dvs128_initial_parameters;

const small: NetworkConfig = { ...thesisNetwork, input: [2, 8, 8], channels: 3, layers: 2 };

function expectGolden(config: NetworkConfig, expected: typeof golden.layer_tau): void {
  const state = initialState(buildNetwork(config), golden.seed);
  const actual = Object.fromEntries(
    Object.keys(expected).map((name) => {
      const tensor = state.get(name);
      if (tensor?.dtype !== 'F32') throw new Error(`no float tensor ${name}`);
      const { buffer, byteOffset, byteLength } = tensor.data;
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      return [name, `${tensor.shape.join('x')} ${createHash('sha256').update(bytes).digest('hex')}`];
    }),
  );
  expect(actual).toEqual(
    Object.fromEntries(
      Object.entries(expected).map(([name, { shape, sha256_f32le }]) => [
        name,
        `${shape.join('x')} ${sha256_f32le}`,
      ]),
    ),
  );
}

describe('the initial state of the thesis network, seed 2020', () => {
  it('is bit for bit that of PyTorch with one τ a layer', () => {
    expectGolden(thesisNetwork, golden.layer_tau);
  });

  it('is bit for bit that of PyTorch with one τ a neuron', () => {
    expectGolden({ ...thesisNetwork, tau: { per: 'neuron', mean: 2, std: 0.1 } }, golden.neuron_tau);
  });
});

describe('initialState', () => {
  it('starts one τ a layer at its mean: w = -ln(mean - 1)', () => {
    const state = initialState(buildNetwork({ ...small, tau: { per: 'layer', mean: 4, std: 0 } }), 1);
    expect(state.get('fc.3.w')?.data[0]).toBeCloseTo(-Math.log(3), 6);
  });

  it('starts every τ at the mean when their standard deviation is 0', () => {
    const state = initialState(buildNetwork({ ...small, tau: { per: 'neuron', mean: 2, std: 0 } }), 1);
    expect(state.get('conv.2.w')?.data).toEqual(new Float32Array(3 * 8 * 8));
  });

  it('starts a learnable surrogate slope at alpha, and counters at 0', () => {
    const spec = buildNetwork({ ...small, surrogate: { kind: 'atan', alpha: 3, learnable: true } });
    const state = initialState(spec, 1);
    expect(state.get('conv.2.surrogate_function.alpha')).toEqual({
      dtype: 'F32',
      shape: [],
      data: Float32Array.of(3),
    });
    expect(state.get('conv.1.num_batches_tracked')?.data).toEqual(BigInt64Array.of(0n));
    expect(state.get('conv.1.running_var')?.data).toEqual(Float32Array.of(1, 1, 1));
  });

  it('gives LIF neurons no w', () => {
    const state = initialState(buildNetwork({ ...small, neuron: 'lif' }), 1);
    expect([...state.keys()].filter((name) => name.endsWith('.w'))).toEqual([]);
  });

  it('refuses a spread that draws a τ of one step or less', () => {
    const spec = buildNetwork({ ...small, tau: { per: 'neuron', mean: 1.1, std: 0.5 } });
    expect(() => initialState(spec, 1)).toThrow(ShapeError);
  });
});
