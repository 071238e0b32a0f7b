import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ORIGINAL_DATASETS } from '../../../src/exchange/original/argument-table.ts';
import { parseArguments } from '../../../src/exchange/original/arguments.ts';
import { translateArguments } from '../../../src/exchange/original/preparation.ts';
import { buildNetwork } from '../../../src/network/networks.ts';
import {
  COMPAT_PRESET_NAMES,
  COMPAT_PRESETS,
  type CompatPresetName,
  pickChangedSwitches,
} from '../../../src/results/thesis/compat.ts';
import { resolveModel } from '../../../src/training/resolve-model.ts';
import { ALL_FACTS } from '../../support/datasets.ts';
import { documentedCommands, shortestCommand, words } from './documented-commands.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const isModel = new Ajv({ allErrors: true }).compile(JSON.parse(read('schemas/model.schema.json')));

function configurationOf(given: readonly string[], compat: CompatPresetName = 'intent') {
  const parsed = parseArguments(given);
  const { name } = ORIGINAL_DATASETS[parsed.values.dataset_name];
  return translateArguments(parsed, compat, ALL_FACTS.find((facts) => facts.name === name)!);
}

function expectModel(value: unknown): void {
  isModel(value);
  expect(isModel.errors ?? []).toEqual([]);
}

const stillImage = (name: string) =>
  words(`-init_tau 2.0 -device cpu -log_dir_prefix logs -dataset_name ${name} -T 8 -max_epoch 10 -use_plif`);

describe('the configuration', () => {
  it.each(Object.entries(documentedCommands))(
    'for the documented command of %s equals that model, in batches of 16',
    (name, given) => {
      const { model, profile, notes } = configurationOf(given);
      const file = parse(read(`configs/models/${name}.yaml`));
      const { network, loss } = file;
      const train = { ...file.train, batchSize: 16 };
      expect({ network: model.network, loss: model.loss, train: model.train }).toEqual({
        network,
        loss,
        train,
      });
      expect(model.compat).toBeUndefined();
      expect(profile).toEqual({
        dataset: { name: 'dvs128-gesture', profile: 'full' },
        frames: { steps: 20, splitBy: 'number', normalization: 'none' },
        seed: 2020,
      });
      const perNeuron =
        "-batch_size is 16, the original's default; the paper's batches of models with one τ per neuron have 32 clips.";
      expect(notes).toEqual(name === 'baseline' ? [] : [perNeuron]);
      expectModel(model);
    },
  );

  it('contains the value of every argument', () => {
    const given = words(
      '-init_tau 3.5 -device cpu -log_dir_prefix logs -batch_size 24 -learning_rate 1e-4 -T_max 32 -alpha_learnable -dataset_name NMNIST -T 10 -channels 64 -number_layer 2 -split_by time -normalization frequency -max_epoch 5 -val_ratio 0.2 -seed 7',
    );
    const { model, profile } = configurationOf(given);
    expect(model).toEqual({
      title: 'NMNIST, τ fixed at 3.5',
      description: 'The model that the original trains on NMNIST with these arguments.',
      network: {
        channels: 64,
        layers: 2,
        neuron: 'lif',
        tau: { per: 'layer', mean: 3.5, std: 0 },
        reset: { kind: 'hard', detach: false },
        surrogate: { kind: 'atan', alpha: 2, learnable: true },
        pooling: 'average',
      },
      loss: { regulariseTau: 0 },
      train: { epochs: 5, batchSize: 24, learningRate: 1e-4, cosineHalfPeriod: 32, validationShare: 0.2 },
    });
    expect(profile).toEqual({
      dataset: { name: 'nmnist', profile: 'nmnist' },
      frames: { steps: 10, splitBy: 'time', normalization: 'frequency' },
      seed: 7,
    });
  });

  it.each([
    ['MNIST', 'mnist', { architecture: 'mnist', steps: 8, channels: 128, hidden: 2048 }],
    ['FashionMNIST', 'fashion-mnist', { architecture: 'mnist', steps: 8, channels: 128, hidden: 2048 }],
    ['CIFAR10', 'cifar10', { architecture: 'cifar10', steps: 8, channels: 256, hidden: 2048 }],
  ])('for %s has the network of the original', (name, reader, network) => {
    const { model, profile } = configurationOf(stillImage(name));
    expect(model.network).toMatchObject(network);
    expect(model.network).not.toHaveProperty('layers');
    expect(profile).toMatchObject({ dataset: { name: reader, profile: reader }, frames: null });
    expectModel(model);
    const input = name === 'CIFAR10' ? ([3, 32, 32] as const) : ([1, 28, 28] as const);
    const { network: section } = resolveModel(model, {}, name);
    const spec = buildNetwork({ input, classes: 10, ...section });
    expect(spec.layers.find((layer) => layer.kind === 'repeat')).toEqual({ kind: 'repeat', steps: 8 });
  });

  it.each(COMPAT_PRESET_NAMES)('with the switches of “%s” matches the schema', (compat) => {
    for (const name of ['baseline', 'no-reg']) {
      const { model } = configurationOf(documentedCommands[name]!, compat);
      expect(pickChangedSwitches(COMPAT_PRESETS[compat])).toMatchObject(model.compat ?? {});
      expectModel(model);
    }
  });

  it('omits the switches of a preset that change nothing about the model', () => {
    const changed = (name: string, compat: CompatPresetName) =>
      Object.keys(configurationOf(documentedCommands[name]!, compat).model.compat ?? {});
    // It has one τ per layer anyway, which starts at 2 anyway.
    expect(changed('baseline', 'code')).toEqual(['trials', 'validation', 'file_order', 'ties']);
    // `base_tau` only affects one τ per layer.
    expect(changed('lambda-0.1', 'runs')).toEqual(['trials', 'validation', 'file_order', 'ties']);
    expect(changed('no-reg', 'code')).toEqual([
      'trials',
      'tau_per_neuron',
      'validation',
      'file_order',
      'ties',
    ]);
  });

  it('notes that the published script drops τ per neuron, and rejects that with λ', () => {
    const { model, notes } = configurationOf(documentedCommands['no-reg']!, 'code');
    expect(model.title).toBe('DVS128Gesture, one τ per layer');
    expect(notes).toEqual([
      '-tau_per_neuron is not passed on to the network, as in the published script: each layer has one τ.',
    ]);
    expect(() => configurationOf(documentedCommands['lambda-0.1']!, 'code')).toThrow(
      expect.objectContaining({
        code: 'compat-impossible',
        message: expect.stringContaining('-reg_lambda 0.1 with --compat code'),
      }),
    );
  });

  it('has batches of 32 in the published runs of models with one τ per neuron, unless they are given', () => {
    const of = (name: string, ...more: readonly string[]) => {
      const { model, notes } = configurationOf([...documentedCommands[name]!, ...more], 'runs');
      return [model.train.batchSize, notes.filter((note) => note.startsWith('-batch_size'))];
    };
    expect(of('baseline')).toEqual([16, []]);
    expect(of('no-reg')).toEqual([
      32,
      ["-batch_size is 32: the paper's batches of models with one τ per neuron have 32 clips."],
    ]);
    expect(of('no-reg', '-batch_size', '16')).toEqual([16, []]);
  });

  it('uses all clips of a data set without a list of recordings', () => {
    const given = shortestCommand.map((word) => (word === 'DVS128Gesture' ? 'NMNIST' : word));
    const { model, notes } = configurationOf(given, 'runs');
    expect(model.compat).not.toHaveProperty('trials');
    expect(notes).toEqual([
      'The first 88 recordings are a subset of DVS128Gesture only; all clips are used here.',
    ]);
  });

  it('notes how it treats an initial τ that the original ignores', () => {
    const given = [...shortestCommand.map((word) => (word === '2.0' ? '3.0' : word)), '-use_plif'];
    expect(configurationOf(given).notes[0]).toContain('-init_tau 3 is used; the original');
    const published = configurationOf(given, 'code');
    expect(published.notes[0]).toContain('-init_tau 3 is not used');
    expect(published.model.compat).toHaveProperty('base_tau', 'always-2');
  });
});

it('the presets follow the intent of the thesis, the published logs or the published script', () => {
  const runs = {
    trials: 'first-88',
    base_tau: 'always-2',
    validation: 'shuffled-drop-last',
    file_order: 'shuffled',
    ties: 'rounding',
  };
  expect(COMPAT_PRESET_NAMES.map((name) => pickChangedSwitches(COMPAT_PRESETS[name]))).toEqual([
    {},
    runs,
    { ...runs, tau_per_neuron: 'dropped' },
  ]);
});
