import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { COMPAT_DEFAULTS } from '../../src/results/thesis/compat.ts';
import { resolveModel } from '../../src/training/resolve-model.ts';

const read = (id: string) =>
  parse(readFileSync(new URL(`../../configs/models/${id}.yaml`, import.meta.url), 'utf8'));
/** A model of the thesis with one switch set, as `--set train.compat.<key>=<value>` sets it. */
const switched = (id: string, compat: Record<string, string>, over: Record<string, unknown> = {}) =>
  resolveModel(read(id), { compat, ...over }, `${id}.yaml`);

describe('the switches', () => {
  it('in a profile override the same switches in a model', () => {
    const model = { ...read('no-reg'), compat: { trials: 'first-88', selection: 'best-test' } };
    const { compat } = resolveModel(model, { compat: { selection: 'validation', tau_init: 'paper' } }, 'x');
    expect(compat).toEqual({ ...COMPAT_DEFAULTS, trials: 'first-88', tau_init: 'paper' });
    expect(resolveModel(read('no-reg'), {}, 'x').compat).toEqual(COMPAT_DEFAULTS);
  });
});

describe('tau_per_neuron: dropped', () => {
  it('trains the network with one τ per layer', () => {
    const { network } = switched('no-reg', { tau_per_neuron: 'dropped' });
    expect(network).toEqual(resolveModel(read('baseline'), {}, 'x').network);
  });

  it('is rejected with λ: the variance of one number is undefined', () => {
    expect(() => switched('lambda-0.1', { tau_per_neuron: 'dropped' })).toThrow(
      expect.objectContaining({
        code: 'compat-impossible',
        where: 'the profile or --set',
        message: expect.stringMatching(
          /^"train.compat.tau_per_neuron" over lambda-0.1.yaml: dropped leaves .* λ = 0.1 would take the variance of that single number/,
        ),
      }),
    );
  });

  it('takes effect before the switches that depend on τ per neuron or per layer', () => {
    const compat = { tau_per_neuron: 'dropped', tau_init: 'paper', base_tau: 'always-2' };
    const resolved = switched('no-reg', compat, { network: { tau: { mean: 4 } } });
    expect(resolved.network.tau).toEqual({ per: 'layer', mean: 2, std: 0 });
    expect(resolved.compat).toEqual({ ...COMPAT_DEFAULTS, ...compat, tau_init: 'code' });
  });
});

describe('a switch of the network', () => {
  it('starts τ as in the paper', () => {
    expect(switched('no-reg', { tau_init: 'paper' }).network.tau).toEqual({
      per: 'neuron',
      mean: 2,
      std: 0.1,
      start: 'paper',
    });
  });

  it('starts every shared τ at 2, whatever was configured', () => {
    const asked = { network: { tau: { mean: 8 } } };
    expect(switched('baseline', { base_tau: 'always-2' }, asked).network.tau.mean).toBe(2);
    expect(switched('baseline', { base_tau: 'configured' }, asked).network.tau.mean).toBe(8);
  });

  it('replaces the arctan by the sigmoid, with the configured slope', () => {
    expect(switched('baseline', { surrogate: 'sigmoid' }).network.surrogate).toEqual({
      kind: 'sigmoid',
      alpha: 2,
      learnable: false,
    });
  });
});

describe('batch_size: documented', () => {
  it('trains in batches of 16 instead of 32, unless the profile sets their size', () => {
    expect(switched('no-reg', {}).training.batchSize).toBe(32);
    expect(switched('no-reg', { batch_size: 'documented' }).training.batchSize).toBe(16);
    const { training } = switched('no-reg', { batch_size: 'documented' }, { batchSize: 8 });
    expect(training.batchSize).toBe(8);
  });
});

describe('a switch', () => {
  const lif = { network: { neuron: 'lif' } };
  it.each<[string, Record<string, string>, Record<string, unknown>]>([
    ['baseline', { tau_per_neuron: 'dropped' }, {}],
    ['lambda-0.1', { tau_per_neuron: 'dropped' }, lif],
    ['baseline', { tau_init: 'paper' }, {}],
    ['no-reg', { tau_init: 'paper' }, { network: { tau: { std: 0 } } }],
    ['no-reg', { base_tau: 'always-2' }, {}],
    ['baseline', { base_tau: 'always-2' }, {}],
    ['baseline', { base_tau: 'always-2' }, { network: { neuron: 'lif', tau: { mean: 8 } } }],
    ['baseline', { batch_size: 'documented' }, {}],
    ['no-reg', { regularise: 'tau' }, {}],
    ['lambda-0.1', { regularise: 'tau' }, lif],
    ['baseline', { surrogate: 'sigmoid' }, { network: { surrogate: { kind: 'sigmoid' } } }],
  ])('without effect is not in force: %s with %j and %j', (id, compat, over) => {
    expect(switched(id, compat, over).compat).toEqual(COMPAT_DEFAULTS);
  });

  it('with an effect is in force, also next to one without', () => {
    const { compat } = switched('lambda-0.1', { regularise: 'tau', tau_init: 'paper', base_tau: 'always-2' });
    expect(compat).toEqual({ ...COMPAT_DEFAULTS, regularise: 'tau', tau_init: 'paper' });
  });

  it('that is impossible is reported with where it was set: the model’s file, or a line of the profile', () => {
    const own = { ...read('lambda-0.1'), compat: { tau_per_neuron: 'dropped' } };
    expect(() => resolveModel(own, {}, 'm.yaml')).toThrow(expect.objectContaining({ where: 'm.yaml' }));
    const asked: string[] = [];
    const placeOf = (key: string) => {
      asked.push(key);
      return 'quick.yaml:30:3';
    };
    const over = { compat: { tau_per_neuron: 'dropped' } } as const;
    expect(() => resolveModel(own, over, 'm.yaml', placeOf)).toThrow(
      expect.objectContaining({ where: 'quick.yaml:30:3' }),
    );
    expect(asked).toEqual(['train.compat.tau_per_neuron']);
  });
});
