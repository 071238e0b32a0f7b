import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildNetwork } from '../../src/snn/networks.ts';
import { resolveModel } from '../../src/training/resolve-model.ts';

const folder = new URL('../../configs/models/', import.meta.url);
const read = (id: string) => parse(readFileSync(new URL(`${id}.yaml`, folder), 'utf8'));
const validate = new Ajv({ strict: true, allErrors: true }).compile(
  JSON.parse(readFileSync(new URL('../../schemas/model.schema.json', import.meta.url), 'utf8')),
);

describe('the models of the thesis', () => {
  it.each([
    ['baseline', 'layer', 0, 0, 16],
    ['no-reg', 'neuron', 0.1, 0, 32],
    ['lambda-0.01', 'neuron', 0.1, 0.01, 32],
    ['lambda-0.1', 'neuron', 0.1, 0.1, 32],
  ])(
    '%s has one τ per %s, σ = %d, λ = %d, batches of %d, the rest in common',
    (id, per, std, lambda, batchSize) => {
      const model = resolveModel(read(id), {}, id);
      expect(model.network).toEqual({
        channels: 128,
        layers: 5,
        neuron: 'plif',
        tau: { per, mean: 2, std },
        reset: { kind: 'hard', detach: true },
        surrogate: { kind: 'atan', alpha: 2, learnable: false },
        pooling: 'max',
      });
      expect(model.training).toEqual({
        epochs: 1256,
        batchSize,
        learningRate: 0.001,
        cosineHalfPeriod: 64,
        validationShare: 0.15,
        testEvery: 1,
        regulariseTau: lambda,
      });
      expect(model.warnings).toEqual([]);
    },
  );

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
      expect(model?.warnings).toEqual([]);
      expect(read(id).published).toEqual({ source: 'fang', name: expect.any(String), test });
    },
  );

  it('build the network of the thesis: 2,048 features, 512 hidden and 110 output neurons', () => {
    const spec = buildNetwork({
      ...resolveModel(read('baseline'), {}, 'x').network,
      input: [2, 128, 128],
      classes: 11,
    });
    expect(spec.layers.filter((layer) => layer.kind === 'linear')).toMatchObject([
      { inFeatures: 2048, outFeatures: 512 },
      { inFeatures: 512, outFeatures: 110 },
    ]);
  });

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

  it('names the key of an impossible value, and where it was set', () => {
    expect(() => resolveModel(read('baseline'), { network: { tau: { mean: 1 } } }, 'baseline.yaml')).toThrow(
      expect.objectContaining({
        where: 'the profile or --set',
        message:
          '"train.network.tau.mean" over baseline.yaml: expected a number of time steps above 1, found 1.',
      }),
    );
    const own = read('lif');
    own.network.tau.mean = 1;
    expect(() => resolveModel(own, { network: { layers: 3, neuron: 'plif' } }, 'lif.yaml')).toThrow(
      expect.objectContaining({
        where: 'lif.yaml',
        message: '"network.tau.mean": expected a number of time steps above 1, found 1.',
      }),
    );
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

    it('rejects blocks, and steps for event frames, naming where they were set', () => {
      expect(() =>
        resolveModel(still({ architecture: 'cifar10', steps: 8, layers: 2 }), {}, 'x.yaml'),
      ).toThrow('"network.layers": expected nothing: cifar10 has the original\'s layers, found 2.');
      expect(() => resolveModel(read('baseline'), { network: { steps: 8 } }, 'x.yaml')).toThrow(
        '"train.network.steps" over x.yaml: expected nothing: event frames have as many steps as `frames.steps` in the profile, found 8.',
      );
      const profile = { network: { layers: 3 } };
      const place = () => 'configs/profiles/quick.yaml:34:30';
      expect(() =>
        resolveModel(still({ architecture: 'mnist', steps: 8 }), profile, 'x.yaml', place),
      ).toThrow(
        expect.objectContaining({
          where: 'configs/profiles/quick.yaml:34:30',
          message:
            '"train.network.layers" over x.yaml: expected nothing: mnist has the original\'s layers, found 3.',
        }),
      );
      expect(() => resolveModel(still({ architecture: 'mnist' }), {}, 'x.yaml')).toThrow(
        '"network.steps": expected a whole number of at least 1, found nothing.',
      );
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

  it('warns of settings of τ that have no effect, and resolves to what happens', () => {
    const own = read('baseline');
    own.network.tau.std = 0.3;
    const { network, warnings } = resolveModel(own, {}, 'x.yaml');
    expect(network.tau).toEqual({ per: 'layer', mean: 2, std: 0 });
    expect(warnings).toEqual([
      'x.yaml: network.tau.std: 0.3 has no effect: only τ per neuron of PLIF neurons are drawn at random.',
    ]);
    const lif = resolveModel(read('no-reg'), { network: { neuron: 'lif' } }, 'x.yaml');
    expect(lif.network.tau).toEqual({ per: 'layer', mean: 2, std: 0 });
    expect(lif.warnings).toEqual([
      'x.yaml: network.tau.per: neuron has no effect: LIF neurons share a fixed τ.',
      'x.yaml: network.tau.std: 0.1 has no effect: only τ per neuron of PLIF neurons are drawn at random.',
    ]);
  });

  it('rejects a potential for a soft reset, as do the schema and the network itself', () => {
    const model = read('baseline');
    model.network.reset = { kind: 'soft', detach: true, potential: -0.5 };
    expect(() => resolveModel(model, {}, 'x.yaml')).toThrow(
      '"network.reset.potential": expected nothing: a soft reset subtracts the threshold, found -0.5.',
    );
    expect(validate(model)).toBe(false);
    const { network } = resolveModel(read('baseline'), {}, 'x.yaml');
    expect(() =>
      buildNetwork({ ...network, reset: model.network.reset, input: [2, 32, 32], classes: 11 }),
    ).toThrow('reset.potential belongs to a hard reset');
    delete model.network.reset.potential;
    expect(validate(model)).toBe(true);
  });

  it('warns if the regulariser has no effect, and records that there is none', () => {
    const { warnings, training } = resolveModel(
      { ...read('baseline'), loss: { regulariseTau: 0.1 } },
      {},
      'x.yaml',
    );
    expect(warnings).toEqual(['x.yaml: loss.regulariseTau: 0.1 has no effect: no neuron learns its own τ.']);
    expect(training.regulariseTau).toBe(0);
  });
});
