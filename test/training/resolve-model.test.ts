import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildNetwork } from '../../src/network/networks.ts';
import { resolveModel } from '../../src/training/resolve-model.ts';

const folder = new URL('../../configs/models/', import.meta.url);
const read = (id: string) => parse(readFileSync(new URL(`${id}.yaml`, folder), 'utf8'));
const validate = new Ajv({ strict: true, allErrors: true }).compile(
  JSON.parse(readFileSync(new URL('../../schemas/model.schema.json', import.meta.url), 'utf8')),
);

describe('the models of the thesis', () => {
  it('carry the maxima that Table 1 of the thesis reports', () => {
    const published = ['baseline', 'no-reg', 'lambda-0.01', 'lambda-0.1'].map((id) => read(id).published);
    expect(published).toEqual([
      { name: 'Baseline', test: 0.955, validation: 1 },
      { name: 'No Reg.', test: 0.951, validation: 0.992 },
      { name: 'λ = .01', test: 0.958, validation: 0.992 },
      { name: 'λ = .1', test: 0.962, validation: 1 },
    ]);
  });

  it.each([
    ['lif', 'lif', 2, 'max', 0.9688],
    ['lif-16', 'lif', 16, 'max', 0.7674],
    ['plif-16', 'plif', 16, 'max', 0.9201],
    ['baseline-average-pool', 'plif', 2, 'average', 0.9722],
  ])(
    '%s is the baseline with %s neurons, τ = %d, %s pooling, as Fang et al. trained it',
    (id, neuron, mean, pooling, test) => {
      const [model, baseline] = [id, 'baseline'].map((one) => resolveModel(read(one), {}, one));
      expect(model?.network).toEqual({
        ...baseline?.network,
        neuron,
        tau: { per: 'layer', mean, std: 0 },
        pooling,
      });
      expect(model?.training).toEqual(baseline?.training);
      expect(read(id).published).toEqual({ source: 'fang', name: expect.any(String), test });
    },
  );

  it('satisfy the schema, in short files', () => {
    for (const file of readdirSync(folder)) {
      const text = readFileSync(new URL(file, folder), 'utf8');
      expect(validate(parse(text)), `${file}: ${JSON.stringify(validate.errors)}`).toBe(true);
      expect(text.split('\n').length).toBeLessThanOrEqual(31);
    }
  });
});

describe('without clips held back', () => {
  const resolve = (compat: Record<string, string>) =>
    resolveModel(read('baseline'), { validationShare: 0, compat }, 'baseline.yaml').compat.selection;

  it('the last epoch is kept, or that of the best test accuracy if asked for', () => {
    expect([resolve({}), resolve({ selection: 'best-test' }), resolve({ selection: 'last' })]).toEqual([
      'last',
      'best-test',
      'last',
    ]);
  });

  it('a choice by validation clips is refused', () => {
    expect(() => resolve({ selection: 'validation' })).toThrow(
      expect.objectContaining({
        code: 'compat-impossible',
        message: expect.stringContaining('"train.compat.selection" over baseline.yaml: validation chooses'),
      }),
    );
  });
});

describe('resolveModel', () => {
  it('overrides the model by the profile, nested sections key by key', () => {
    const overrides = {
      engine: 'auto',
      epochs: 3,
      testEvery: 2,
      network: { channels: 8, tau: { std: 0.2 } },
    };
    const { network, training } = resolveModel(read('no-reg'), overrides, 'x');
    expect(network.channels).toBe(8);
    expect(network.tau).toEqual({ per: 'neuron', mean: 2, std: 0.2 });
    expect(training).toMatchObject({ epochs: 3, testEvery: 2, batchSize: 32 });
  });

  it('passes given τ and a matched gain on, and gives one τ per layer no list', () => {
    const { network } = resolveModel(read('two-fixed'), {}, 'x');
    expect(network).toMatchObject({ tau: { mean: 7, std: 5, values: [2, 12] }, init: 'gain-matched' });
    const perLayer = resolveModel(read('two-fixed'), { network: { tau: { per: 'layer' } } }, 'x');
    expect(perLayer.network.tau).toEqual({ per: 'layer', mean: 7, std: 0 });
  });

  it('leaves single values to the schema', () => {
    const fits = (key: string, value: unknown) => {
      const model = read('baseline');
      model.train[key] = value;
      return validate(model);
    };
    expect([fits('epochs', 3), fits('epochs', 0), fits('epochs', 'many'), fits('epoch', 3)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(validate(null)).toBe(false);
  });

  describe('for a network for still images', () => {
    const { layers: _, ...network } = read('baseline').network;
    const still = (over: object) => ({ ...read('baseline'), network: { ...network, ...over } });

    it('takes its number of steps, and builds it', () => {
      const resolved = resolveModel(still({ architecture: 'mnist', channels: 4, steps: 8 }), {}, 'x.yaml');
      expect(resolved.network).toMatchObject({ architecture: 'mnist', channels: 4, steps: 8 });
      const spec = buildNetwork({ ...resolved.network, input: [1, 28, 28], classes: 10 });
      expect(spec.layers).toContainEqual({ kind: 'repeat', steps: 8 });
    });

    it('satisfies the schema only with steps and without layers', () => {
      const fits = (over: object) => validate(still(over));
      expect([
        fits({ architecture: 'mnist', steps: 8 }),
        fits({ architecture: 'event-frames', layers: 5 }),
      ]).toEqual([true, true]);
      for (const over of [
        { architecture: 'mnist' },
        { architecture: 'mnist', steps: 8, layers: 2 },
        { layers: 2, steps: 8 },
        { architecture: 'event-frames' },
        {},
      ]) {
        expect(fits(over), JSON.stringify(over)).toBe(false);
      }
    });
  });

  it('replaces settings of τ and λ that have no effect by what happens', () => {
    const own = { ...read('baseline'), loss: { regulariseTau: 0.1 } };
    own.network.tau.std = 0.3;
    const { network, training } = resolveModel(own, {}, 'x.yaml');
    expect(network.tau).toEqual({ per: 'layer', mean: 2, std: 0 });
    expect(training.regulariseTau).toBe(0);
    const lif = resolveModel(read('lambda-0.1'), { network: { neuron: 'lif' } }, 'x.yaml');
    expect(lif.network.tau).toEqual({ per: 'layer', mean: 2, std: 0 });
    expect(lif.training.regulariseTau).toBe(0);
  });

  it('takes λ from a profile or `--set` where a model has a τ to regularise', () => {
    const lambdaOf = (id: string, regulariseTau: number | number[]) =>
      resolveModel(read(id), { loss: { regulariseTau } }, 'x.yaml').training.regulariseTau;
    expect(lambdaOf('no-reg', 0.5)).toBe(0.5);
    expect(lambdaOf('lambda-0.1', [0.1, 0])).toEqual([0.1, 0]);
    expect(lambdaOf('lambda-0.1', 0)).toBe(0);
    expect(lambdaOf('baseline', 0.5)).toBe(0);
  });

  it('keeps τ per channel and a rate for τ that is not 1, whatever the switch for τ per neuron', () => {
    const overrides = { compat: { tau_per_neuron: 'dropped' }, tauRate: 0 } as const;
    const { network, training, compat } = resolveModel(read('channel'), overrides, 'x.yaml');
    expect(network.tau).toEqual({ per: 'channel', mean: 2, std: 0.1 });
    expect([training.tauRate, compat.tau_per_neuron]).toEqual([0, 'passed']);
    expect(resolveModel(read('fast-tau'), {}, 'x.yaml').training.tauRate).toBe(10);
    expect(resolveModel(read('fast-tau'), { tauRate: 1 }, 'x.yaml').training).not.toHaveProperty('tauRate');
    const lif = resolveModel(read('channel'), { network: { neuron: 'lif' }, tauRate: 0 }, 'x.yaml');
    expect(lif.network.tau).toEqual({ per: 'layer', mean: 2, std: 0 });
    expect(lif.training).not.toHaveProperty('tauRate');
  });

  it('keeps an order of frames that is not the recorded one', () => {
    const orderOf = (id: string, over = {}) => resolveModel(read(id), over, 'x.yaml').training.frameOrder;
    expect([orderOf('no-reg-mean'), orderOf('no-reg', { frameOrder: 'shuffled' })]).toEqual([
      'mean',
      'shuffled',
    ]);
    const recorded = resolveModel(read('no-reg-mean'), { frameOrder: 'recorded' }, 'x.yaml').training;
    expect(recorded).not.toHaveProperty('frameOrder');
  });

  it('takes one λ, or a list for all layers, none below 0', () => {
    const fits = (regulariseTau: unknown) => validate({ ...read('channel'), loss: { regulariseTau } });
    expect([0.1, [0.1, 0, 0.2], -0.1, [0.1, -0.1], 'much', ['0.1']].map(fits)).toEqual([
      ...[true, true],
      ...[false, false, false, false],
    ]);
  });

  it('leaves a potential for a soft reset to the schema and the network', () => {
    const model = read('baseline');
    model.network.reset = { kind: 'soft', detach: true, potential: -0.5 };
    expect(validate(model)).toBe(false);
    const { network } = resolveModel(model, {}, 'x.yaml');
    expect(() => buildNetwork({ ...network, input: [2, 32, 32], classes: 11 })).toThrow(
      'reset.potential belongs to a hard reset',
    );
    delete model.network.reset.potential;
    expect(validate(model)).toBe(true);
  });
});
