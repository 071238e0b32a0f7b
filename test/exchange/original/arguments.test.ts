import { describe, expect, it } from 'vitest';
import { ReproError } from '../../../src/base/errors.ts';
import { argumentTable, describeArguments } from '../../../src/exchange/original/argument-table.ts';
import { parseArguments } from '../../../src/exchange/original/arguments.ts';
import { documentedCommands, shortestCommand, words } from './documented-commands.ts';

const still = words('-init_tau 2.0 -device cpu -dataset_name MNIST -log_dir_prefix logs -T 8 -max_epoch 10');

/** The message of the error for some words. */
function refusal(given: readonly string[]): string {
  try {
    parseArguments(given);
  } catch (error) {
    if (error instanceof ReproError && error.code === 'arguments-invalid') return error.message;
    throw error;
  }
  throw new Error(`not refused: ${given.join(' ')}`);
}

/** The shortest command with the value of one argument replaced. */
function withValue(name: string, value: string): string[] {
  const at = shortestCommand.indexOf(`-${name}`);
  return at === -1
    ? [...shortestCommand, `-${name}`, value]
    : shortestCommand.map((word, i) => (i === at + 1 ? value : word));
}

describe('the original’s arguments', () => {
  it('have defaults', () => {
    const { values } = parseArguments(shortestCommand);
    expect(values).toEqual({
      ...{ init_tau: 2, batch_size: 16, learning_rate: 0.001, T_max: 64, use_plif: false },
      ...{ alpha_learnable: false, use_max_pool: false, device: 'cpu', dataset_name: 'DVS128Gesture' },
      ...{
        log_dir_prefix: 'logs',
        T: 4,
        channels: 8,
        number_layer: 2,
        split_by: 'time',
        normalization: null,
      },
      ...{ max_epoch: 3, detach_reset: false, val_ratio: 0.15, tau_per_neuron: false, tau_std_dev: 0 },
      ...{ reg_lambda: 0, seed: 2020 },
    });
  });

  it('are parsed when all of them are given', () => {
    const all = {
      init_tau: 3.5,
      batch_size: 24,
      learning_rate: 1e-4,
      T_max: 32,
      use_plif: true,
      alpha_learnable: true,
      use_max_pool: true,
      device: 'cuda:0',
      dataset_name: 'NMNIST',
      log_dir_prefix: '/tmp/logs',
      T: 10,
      channels: 64,
      number_layer: 2,
      split_by: 'number',
      normalization: 'frequency',
      max_epoch: 5,
      detach_reset: true,
      val_ratio: 0.2,
      tau_per_neuron: true,
      tau_std_dev: 0.5,
      reg_lambda: 0.01,
      seed: 7,
    };
    const given = Object.entries(all).flatMap(([name, value]) =>
      value === true ? [`-${name}`] : [`-${name}`, String(value)],
    );
    const { values, given: names, notes } = parseArguments(given);
    expect(values).toEqual(all);
    expect(names.size).toBe(argumentTable.length);
    expect(notes).toEqual([]);
  });

  it.each(Object.entries(documentedCommands))(
    'of the documented command for %s are accepted without notes',
    (_, given) => {
      expect(parseArguments(given).notes).toEqual([]);
    },
  );

  it('may be followed by an equals sign and their value, and -T directly by its value', () => {
    const { values } = parseArguments([
      ...still.filter((word, i) => word !== '-T' && still[i - 1] !== '-T'),
      '-T=9',
      '-learning_rate=0.01',
    ]);
    expect(values).toMatchObject({ T: 9, learning_rate: 0.01 });
    const close = shortestCommand.flatMap((word, i, all) => {
      if (word === '-T') return ['-T4'];
      return all[i - 1] === '-T' ? [] : [word];
    });
    expect(parseArguments(close).values.T).toBe(4);
  });

  it('for event data are accepted for still images, with a note that they have no effect', () => {
    expect(parseArguments([...still, '-channels', '64', '-normalization', 'None']).notes).toEqual([
      '-channels, -normalization: ignored, for event data only; the network for MNIST is fixed, as in the original.',
    ]);
  });

  it('are all listed in the help', () => {
    const help = describeArguments();
    expect(help).toHaveLength(22);
    const required = (lines: readonly string[], remark: string): string[] =>
      lines.filter((line) => line.endsWith(` (${remark})`)).map((line) => line.trim().split(' ')[0]!);
    expect(required(help, 'required')).toEqual([
      '-init_tau',
      '-device',
      '-dataset_name',
      '-log_dir_prefix',
      '-T',
      '-max_epoch',
    ]);
    expect(required(help, 'required for event data')).toEqual(['-channels', '-number_layer', '-split_by']);
    expect(help[3]).toMatch(
      /^ {2}-T_max <int> +epochs over which the learning rate falls to 0 \(half the cosine’s period\) \(default: 64\)$/,
    );
  });
});

describe('wrong arguments', () => {
  it('are all listed at once if missing', () => {
    expect(refusal(['-use_plif'])).toBe(
      'missing: -init_tau, -device, -dataset_name, -log_dir_prefix, -T, -max_epoch.',
    );
    expect(refusal(still.map((word) => (word === 'MNIST' ? 'NMNIST' : word)))).toBe(
      'missing: -channels, -number_layer, -split_by.',
    );
  });

  it('point to the help of repro train-val', () => {
    expect(() => parseArguments(['-x'])).toThrow(
      expect.objectContaining({ fix: '`./repro train-val --help` lists the arguments.' }),
    );
  });

  it('are all reported at once', () => {
    expect(refusal([...shortestCommand, '-seed', 'x', '-lr', '1', '-T', '5'])).toBe(
      [
        'There are 3 problems with the arguments:',
        '  unknown argument "-lr".',
        '  -T is given twice.',
        '  -seed: expected a whole number from 0 to 4294967295, found "x".',
      ].join('\n'),
    );
  });

  it.each([
    ['-chanels 8', 'unknown argument "-chanels". Closest: "-channels".'],
    ['-use_plfi', 'unknown argument "-use_plfi". Closest: "-use_plif".'],
    ['-Tmax 3', 'unknown argument "-Tmax". Closest: "-T_max".'],
    ['-t 3', 'unknown argument "-t".'],
    ['-x', 'unknown argument "-x".'],
    ['-use', 'unknown argument "-use". Closest: "-use_plif".'],
    ['--seed 3', '"--seed": the original\'s arguments have a single dash: -seed.'],
    ['--proflie=quick', 'unknown option "--proflie".'],
    ['quick', 'unexpected value "quick".'],
    ['-use_plif=1', '-use_plif is a flag and takes no value, found "1".'],
    ['-use_plif True', 'unexpected value "True".'],
    ['-seed', '-seed requires a value.'],
    ['-seed=', '-seed requires a value.'],
    ['-seed -use_plif', '-seed requires a value.'],
    ['-seed 1 -seed 1', '-seed is given twice.'],
  ])('such as %s are rejected', (given, message) => {
    expect(refusal([...shortestCommand, ...words(given)])).toBe(message);
  });

  it.each([
    ['init_tau', '0.9', 'a number of time steps of at least 1'],
    ['init_tau', 'inf', 'a number of time steps of at least 1'],
    ['batch_size', '0', 'a whole number of at least 1'],
    ['batch_size', '16.0', 'a whole number of at least 1'],
    ['learning_rate', '-0.1', 'a number above 0'],
    ['T_max', '-1', 'a whole number of at least 1'],
    ['device', 'gpu', 'cpu, cuda or cuda:0'],
    ['T', 'twenty', 'a whole number of at least 1'],
    ['split_by', 'frames', 'one of time, number'],
    ['max_epoch', '0', 'a whole number of at least 1'],
    ['val_ratio', '1', 'a share from 0 to below 1'],
    ['tau_std_dev', '-0.1', 'a number of at least 0'],
    ['reg_lambda', '-1', 'a number of at least 0'],
    ['seed', '-1', 'a whole number from 0 to 4294967295'],
  ])('such as -%s %s are rejected for their value', (name, value, expected) => {
    expect(refusal(withValue(name, value))).toBe(`-${name}: expected ${expected}, found "${value}".`);
  });

  it.each([
    ['dataset_name', 'dvs128gesture', 'DVS128Gesture'],
    ['dataset_name', 'N-MNIST', 'NMNIST'],
    ['normalization', 'none', 'None'],
    ['split_by', 'times', 'time'],
  ])('such as -%s %s get the closest choice as a suggestion', (name, value, closest) => {
    expect(refusal(withValue(name, value))).toMatch(
      new RegExp(`found "${value}"\\. Closest: "${closest}"\\.$`),
    );
  });

  it.each([
    ['-tau_per_neuron', '-tau_per_neuron without -use_plif'],
    [
      '-use_plif -tau_std_dev 0.1',
      '-tau_std_dev 0.1 without -tau_per_neuron: the single τ of a layer has no spread.',
    ],
    [
      '-use_plif -reg_lambda 0.1',
      '-reg_lambda 0.1 without -tau_per_neuron: the original then adds no penalty',
    ],
  ])('such as %s are rejected as contradictory', (given, message) => {
    expect(refusal([...shortestCommand, ...words(given)])).toContain(message);
  });
});
