import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { COMPAT_DEFAULTS } from '../../src/thesis/compat.ts';
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
    const { network, warnings } = switched('no-reg', { tau_per_neuron: 'dropped' });
    expect(network).toEqual(resolveModel(read('baseline'), {}, 'x').network);
    expect(warnings).toEqual([]);
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
    const { network, warnings } = switched('no-reg', compat, { network: { tau: { mean: 4 } } });
    expect(network.tau).toEqual({ per: 'layer', mean: 2, std: 0 });
    expect(warnings).toEqual([
      'the profile or --set: train.compat.tau_init: paper has no effect on no-reg.yaml: no τ is drawn at random here.',
    ]);
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
    const { training, warnings } = switched('no-reg', { batch_size: 'documented' }, { batchSize: 8 });
    expect(training.batchSize).toBe(8);
    expect(warnings).toEqual([
      'the profile or --set: train.compat.batch_size: documented has no effect on no-reg.yaml: the profile sets train.batchSize.',
    ]);
  });
});

describe('a switch without effect', () => {
  it.each<[string, Record<string, string>, Record<string, unknown>, string]>([
    ['baseline', { tau_per_neuron: 'dropped' }, {}, 'this model has one τ per layer anyway'],
    ['no-reg', { tau_per_neuron: 'dropped' }, { network: { neuron: 'lif' } }, 'LIF neurons share a fixed τ'],
    [
      'lambda-0.1',
      { tau_per_neuron: 'dropped' },
      { network: { neuron: 'lif' } },
      'LIF neurons share a fixed τ',
    ],
    ['baseline', { tau_init: 'paper' }, {}, 'no τ is drawn at random here'],
    ['no-reg', { tau_init: 'paper' }, { network: { tau: { std: 0 } } }, 'no τ is drawn'],
    ['no-reg', { base_tau: 'always-2' }, {}, 'it applies to a learned τ that a layer shares'],
    ['baseline', { base_tau: 'always-2' }, {}, 'τ starts at 2 anyway'],
    ['baseline', { base_tau: 'always-2' }, { network: { neuron: 'lif' } }, 'it applies to a learned τ'],
    ['baseline', { batch_size: 'documented' }, {}, 'the batch size is 16 anyway'],
    ['no-reg', { regularise: 'tau' }, {}, 'there is no regulariser here'],
    ['lambda-0.1', { regularise: 'tau' }, { network: { neuron: 'lif' } }, 'there is no regulariser here'],
    [
      'baseline',
      { surrogate: 'sigmoid' },
      { network: { surrogate: { kind: 'sigmoid' } } },
      'the surrogate is a sigmoid anyway',
    ],
  ])('gives a warning and is not in force: %s with %j and %j', (id, compat, over, why) => {
    const [key, value] = Object.entries(compat)[0]!;
    const { warnings, compat: inForce } = switched(id, compat, over);
    expect(warnings.join('\n')).toContain(
      `the profile or --set: train.compat.${key}: ${value} has no effect on ${id}.yaml: ${why}`,
    );
    expect(inForce).toEqual(COMPAT_DEFAULTS);
  });

  it('gives no warning if it has one, and is in force', () => {
    const { warnings, compat } = switched('lambda-0.1', { regularise: 'tau', tau_init: 'paper' });
    expect(warnings).toEqual([]);
    expect(compat).toEqual({ ...COMPAT_DEFAULTS, regularise: 'tau', tau_init: 'paper' });
  });

  it('next to one with an effect: only that one is in force', () => {
    const { compat, training } = switched(
      'no-reg',
      { tau_per_neuron: 'dropped', tau_init: 'paper', batch_size: 'documented' },
      { batchSize: 8 },
    );
    expect(compat).toEqual({ ...COMPAT_DEFAULTS, tau_per_neuron: 'dropped' });
    expect(training.batchSize).toBe(8);
  });

  it('is reported with where it was set: the model’s file, a line of the profile, or --set', () => {
    const own = { ...read('baseline'), compat: { base_tau: 'always-2' } };
    expect(resolveModel(own, {}, 'm.yaml').warnings).toEqual([
      'm.yaml: compat.base_tau: always-2 has no effect: τ starts at 2 anyway.',
    ]);
    const asked: string[] = [];
    const placeOf = (key: string) => {
      asked.push(key);
      return 'quick.yaml:30:3';
    };
    const { warnings } = resolveModel(own, { compat: { base_tau: 'always-2' } }, 'm.yaml', placeOf);
    expect(warnings).toEqual([
      'quick.yaml:30:3: train.compat.base_tau: always-2 has no effect on m.yaml: τ starts at 2 anyway.',
    ]);
    expect(asked).toEqual(['train.compat.base_tau']);
  });
});
