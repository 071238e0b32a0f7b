import { describe, expect, it } from 'vitest';
import {
  buildNetwork,
  dropoutLayers,
  type NetworkConfig,
  parameterShapes,
  spikingLayers,
} from '../../src/snn/networks.ts';
import { ShapeError } from '../../src/snn/shape-error.ts';
import { goldenCases, loadGolden } from '../support/golden.ts';

const thesis: NetworkConfig = {
  input: [2, 128, 128],
  classes: 11,
  channels: 128,
  layers: 5,
  neuron: 'plif',
  tau: { per: 'layer', mean: 2, std: 0 },
  reset: { kind: 'hard', detach: true },
  surrogate: { kind: 'atan', alpha: 2, learnable: false },
  pooling: 'max',
};

const names = (config: NetworkConfig): string[] =>
  parameterShapes(buildNetwork(config)).map(({ name }) => name);
const shapeOf = (config: NetworkConfig, name: string) =>
  parameterShapes(buildNetwork(config)).find((entry) => entry.name === name)?.shape;

describe('buildNetwork', () => {
  it('gives the thesis network: five blocks, 512 hidden neurons, ten votes for each of 11 classes', () => {
    const { layers } = buildNetwork(thesis);
    expect(layers.map(({ kind }) => kind)).toEqual([
      ...Array.from({ length: 5 }, () => ['conv', 'batch-norm', 'neuron', 'pool']).flat(),
      'flatten',
      'dropout',
      'linear',
      'neuron',
      'dropout',
      'linear',
      'neuron',
      'vote',
    ]);
    expect(shapeOf(thesis, 'fc.2.weight')).toEqual([512, 128 * 4 * 4]);
    expect(shapeOf(thesis, 'fc.5.weight')).toEqual([110, 512]);
  });

  it('rounds odd sizes down when it pools: 34, 17, 8', () => {
    const spec = buildNetwork({ ...thesis, input: [2, 34, 34], layers: 2, channels: 16, classes: 10 });
    expect(spikingLayers(spec).map(({ shape }) => shape)).toEqual([[16, 34, 34], [16, 17, 17], [256], [100]]);
    expect(dropoutLayers(spec).map(({ features }) => features)).toEqual([1024, 256]);
  });

  it('takes hidden width, votes, dropout and threshold from the configuration', () => {
    const spec = buildNetwork({ ...thesis, hidden: 24, votes: 3, dropout: 0.25, threshold: 0.5 });
    expect(spec.layers.at(-1)).toEqual({ kind: 'vote', group: 3 });
    expect(spikingLayers(spec).at(-1)?.shape).toEqual([33]);
    expect(spikingLayers(spec)[0]?.neuron.threshold).toBe(0.5);
    expect(dropoutLayers(spec)).toMatchObject([
      { probability: 0.25, features: 2048 },
      { probability: 0.25, features: 24 },
    ]);
  });

  it.each([
    [{ layers: 8 }, /8 layers halve a frame of 128 x 128 to nothing; at most 7 fit/],
    [{ channels: 0 }, /channels must be a whole number of at least 1, got 0/],
    [{ classes: 2.5 }, /classes must be a whole number/],
    [{ dropout: 1 }, /dropout must be at least 0 and below 1, got 1/],
    [{ tau: { per: 'layer', mean: 1, std: 0 } }, /τ must be more than 1 time step/],
  ] as const)('refuses %j', (change, message) => {
    expect(() => buildNetwork({ ...thesis, ...change })).toThrow(ShapeError);
    expect(() => buildNetwork({ ...thesis, ...change })).toThrow(message);
  });
});

describe('parameterShapes', () => {
  it('names tensors as PyTorch does, in the order of its state_dict', () => {
    expect(names({ ...thesis, layers: 1, surrogate: { kind: 'atan', alpha: 2, learnable: true } })).toEqual([
      'conv.0.weight',
      'conv.1.weight',
      'conv.1.bias',
      'conv.1.running_mean',
      'conv.1.running_var',
      'conv.1.num_batches_tracked',
      'conv.2.w',
      'conv.2.surrogate_function.alpha',
      'fc.2.weight',
      'fc.3.w',
      'fc.3.surrogate_function.alpha',
      'fc.5.weight',
      'fc.6.w',
      'fc.6.surrogate_function.alpha',
    ]);
  });

  it('gives w the shape of the layer when τ is per neuron, and leaves it out when τ is fixed', () => {
    const perNeuron: NetworkConfig = { ...thesis, tau: { per: 'neuron', mean: 2, std: 0.1 } };
    expect(shapeOf(thesis, 'conv.6.w')).toEqual([]);
    expect(shapeOf(perNeuron, 'conv.6.w')).toEqual([1, 128, 64, 64]);
    expect(shapeOf(perNeuron, 'fc.6.w')).toEqual([1, 110]);
    expect(names({ ...thesis, neuron: 'lif' }).filter((name) => name.endsWith('.w'))).toEqual([]);
  });

  it.each(goldenCases('network'))('has the tensors of the golden network %s', (name) => {
    const golden = loadGolden(name);
    const { ch, hw, layers, classes, per_neuron, plif, learn_alpha } = golden.description as Record<
      string,
      number
    >;
    const entries = parameterShapes(
      buildNetwork({
        ...thesis,
        input: [2, hw!, hw!],
        channels: ch!,
        layers: layers!,
        classes: classes!,
        neuron: plif === undefined ? 'plif' : 'lif',
        tau: { per: per_neuron ? 'neuron' : 'layer', mean: 2, std: 0 },
        surrogate: { kind: 'atan', alpha: 2, learnable: learn_alpha !== undefined },
      }),
    );
    const found = Object.fromEntries(entries.map(({ name, shape, dtype }) => [name, { dtype, shape }]));
    const expected = [...golden.below('init/')].map(([key, { dtype, shape }]) => [key, { dtype, shape }]);
    expect(found).toEqual(Object.fromEntries(expected));
    expect(
      entries
        .filter(({ role }) => role === 'parameter')
        .map((entry) => entry.name)
        .sort(),
    ).toEqual([...golden.below('step0/grad/').keys()].sort());
  });
});
