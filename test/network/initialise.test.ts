import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ShapeError, type State } from '../../src/formats/tensor.ts';
import { initialState } from '../../src/network/initialise.ts';
import { buildNetwork, type NetworkConfig } from '../../src/network/networks.ts';
import { tauOfLogit } from '../../src/network/neurons.ts';
import { drawKaimingUniform, drawLogNormal, TorchRandom } from '../../src/network/torch-random.ts';
import '../support/all-close.ts';
import { thesisNetwork } from '../support/thesis-network.ts';

const small: NetworkConfig = { ...thesisNetwork, input: [2, 8, 8], channels: 3, layers: 2 };

describe('initialState', () => {
  it('starts τ per layer at its mean: w = -ln(mean - 1)', () => {
    const state = initialState(buildNetwork({ ...small, tau: { per: 'layer', mean: 4, std: 0 } }), 1);
    expect(state.get('fc.3.w')?.data[0]).toBeCloseTo(-Math.log(3), 6);
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

  it('rejects a spread that draws a τ of one step or less, and names the setting that mends it', () => {
    const spec = buildNetwork({ ...small, tau: { per: 'neuron', mean: 1.1, std: 0.5 } });
    expect(() => initialState(spec, 1)).toThrow(ShapeError);
    expect(() => initialState(spec, 1)).toThrow(/`compat\.tau_init: paper`/);
  });
});

const valuesOf = (state: State, name: string): number[] =>
  Array.from<number | bigint>(state.get(name)!.data).map(Number);

describe('init: gain-matched', () => {
  const linear: NetworkConfig = { ...small, layers: 0, hidden: 4, tau: { per: 'neuron', mean: 3, std: 0.5 } };
  const matched = (config: NetworkConfig) =>
    initialState(buildNetwork({ ...config, init: 'gain-matched' }), 1);

  it('multiplies the weights of each neuron by τ/2, and draws the same numbers', () => {
    const state = initialState(buildNetwork(linear), 1);
    const found = matched(linear);
    for (const [weights, w] of [
      ['fc.2.weight', 'fc.3.w'],
      ['fc.5.weight', 'fc.6.w'],
    ] as const) {
      expect(found.get(w)).toEqual(state.get(w));
      const taus = valuesOf(state, w).map(tauOfLogit);
      const inputs = state.get(weights)!.data.length / taus.length;
      expect(new Set(taus).size).toBe(taus.length);
      const expected = valuesOf(state, weights).map(
        (weight, at) => (weight * taus[Math.floor(at / inputs)]!) / 2,
      );
      expect(valuesOf(found, weights)).toBeAllclose(expected, { relative: 1e-6 });
    }
  });

  it('changes nothing at τ = 2, and multiplies by the fixed τ of LIF neurons', () => {
    const tau = { per: 'layer', mean: 2, std: 0 } as const;
    expect(matched({ ...linear, tau })).toEqual(initialState(buildNetwork({ ...linear, tau }), 1));
    const lif = { ...linear, neuron: 'lif', tau: { ...tau, mean: 8 } } as const;
    const [first] = initialState(buildNetwork(lif), 1).get('fc.2.weight')!.data;
    expect(matched(lif).get('fc.2.weight')!.data[0]).toBe(4 * Number(first));
  });

  it('acts behind a convolution through batch norm, which would undo a change of the weights', () => {
    const state = matched({ ...small, tau: { per: 'layer', mean: 8, std: 0 } });
    expect(valuesOf(state, 'conv.1.weight')).toBeAllclose([4, 4, 4]);
  });

  it('is refused with a τ per neuron behind a convolution, whose neurons share their weights', () => {
    expect(() => matched({ ...linear, layers: 2 })).toThrow(/init: gain-matched .* linear layers/);
  });
});

describe('given τ', () => {
  const config: NetworkConfig = {
    ...{ ...small, layers: 0, hidden: 5 },
    tau: { per: 'neuron', mean: 7, std: 5, values: [2, 12] },
  };

  it('are taken by the neurons in turn', () => {
    const logits = valuesOf(initialState(buildNetwork(config), 1), 'fc.3.w');
    expect(logits.map(tauOfLogit)).toBeAllclose([2, 12, 2, 12, 2]);
  });

  it('have the mean and standard deviation that the configuration names', () => {
    expect(() => buildNetwork({ ...config, tau: { ...config.tau, mean: 6 } })).toThrow(
      'tau.mean and tau.std must be those of tau.values, 7.000 and 5.000, got 6.000 and 5.000',
    );
  });
});

describe('τ drawn as in the paper, 1 + LogNormal(mean − 1, σ)', () => {
  const config: NetworkConfig = { ...small, tau: { per: 'neuron', mean: 3, std: 0.5 } };
  const paper: NetworkConfig = { ...config, tau: { ...config.tau, start: 'paper' } };
  const taus = (config: NetworkConfig): number[] => {
    const logits = initialState(buildNetwork(config), 1).get('conv.2.w')?.data ?? [];
    return Array.from(logits, Number).map(tauOfLogit);
  };

  it('is one more than the number drawn from the same position in the stream', () => {
    const random = new TorchRandom(1);
    drawKaimingUniform(random, 3 * 2 * 3 * 3, 2 * 3 * 3); // conv.0.weight
    const drawn = drawLogNormal(random, 3 * 8 * 8, 2, 0.5);
    expect(taus(paper)).toBeAllclose(
      Array.from(drawn, (one) => 1 + one),
      { relative: 1e-6 },
    );
  });

  it('is drawn once for each channel', () => {
    const random = new TorchRandom(1);
    drawKaimingUniform(random, 3 * 2 * 3 * 3, 2 * 3 * 3); // conv.0.weight
    const drawn = drawLogNormal(random, 3, 2, 0.5);
    expect(taus({ ...paper, tau: { ...paper.tau, per: 'channel' } })).toBeAllclose(
      Array.from(drawn, (one) => 1 + one),
      { relative: 1e-6 },
    );
  });

  it('is rounded like in PyTorch', () => {
    // torch.manual_seed(7); -torch.log(1 + draw_log_normal((1, 2000), 1.0, 0.5) - 1), with test/golden/torch/spiking_networks.py
    const neuron = { ...buildNetwork(paper).layers[2]!, name: 'n', shape: [2000] };
    if (neuron.kind !== 'neuron') throw new Error('the third layer has neurons');
    const tau = { ...neuron.neuron.tau, mean: 2 };
    const spec = { ...buildNetwork(paper), layers: [{ ...neuron, neuron: { ...neuron.neuron, tau } }] };
    const { buffer } = initialState(spec, 7).get('n.w')?.data ?? new Float32Array();
    expect(createHash('sha256').update(new Uint8Array(buffer)).digest('hex')).toBe(
      '08fb1b1bfe51db0d554cbb3bc52f2f7f527a56e56f8f216869a00388999c78d1',
    );
  });

  it('leaves every other tensor and the stream as in the code', () => {
    const [theirs, code] = [paper, config].map((one) => {
      const random = new TorchRandom(1);
      const state = initialState(buildNetwork(one), random);
      return { rest: [...state].filter(([name]) => !name.endsWith('.w')), stream: random.state() };
    });
    expect(theirs).toEqual(code);
    expect(taus(paper)).not.toEqual(taus(config));
    // The default.
    expect(taus(config)).toEqual(taus({ ...config, tau: { ...config.tau, start: 'code' } }));
  });

  it.each([
    ['a standard deviation of 0', { per: 'neuron', mean: 3, std: 0 }],
    ['one τ per layer', { per: 'layer', mean: 3, std: 0.5 }],
  ] as const)('changes nothing with %s', (_, tau) => {
    const [theirs, code] = (['paper', 'code'] as const).map((start) =>
      initialState(buildNetwork({ ...small, tau: { ...tau, start } }), 1),
    );
    expect(theirs).toEqual(code);
  });
});
