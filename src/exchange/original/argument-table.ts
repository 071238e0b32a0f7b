import { LARGEST_SEED } from '../../training/schedule.ts';

/** How the text of a value is read, and what it can be. */
export interface ValueKind<Value> {
  /** As the help calls it: `<int>`. */
  readonly kind: 'float' | 'int' | 'text' | 'name';
  readonly expected: string;
  readonly choices?: readonly string[];
  /** Undefined for a wrong value. */
  readonly parse: (text: string) => Value | undefined;
}

/** One argument of the original's `train_val.py`, as the help describes it. */
export interface Argument {
  readonly name: string;
  /** Undefined for a flag; all others are followed by a value. */
  readonly value?: ValueKind<unknown>;
  /** The default as Python prints it; undefined for flags and required arguments. */
  readonly default?: string;
  readonly required?: 'always' | 'events';
  readonly meaning: string;
}

/** Parses like Python's `float`, but only finite numbers in decimal notation; undefined for anything else. */
export function parsePythonFloat(text: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text.trim())) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** Parses like Python's `int`; undefined for anything else, and for integers too large for JavaScript. */
export function parsePythonInt(text: string): number | undefined {
  if (!/^[+-]?\d+$/.test(text.trim())) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

function ints(least: number, expected: string, most = Number.MAX_SAFE_INTEGER): ValueKind<number> {
  const parse = (text: string) => {
    const value = parsePythonInt(text);
    return value !== undefined && value >= least && value <= most ? value : undefined;
  };
  return { kind: 'int', expected, parse };
}

function floats(expected: string, isGood: (value: number) => boolean): ValueKind<number> {
  const parse = (text: string) => {
    const value = parsePythonFloat(text);
    return value !== undefined && isGood(value) ? value : undefined;
  };
  return { kind: 'float', expected, parse };
}

function choices<const Choice extends string>(names: readonly Choice[]): ValueKind<Choice> {
  const parse = (text: string) => names.find((name) => name === text);
  return { kind: 'name', expected: `one of ${names.join(', ')}`, choices: names, parse };
}

const counts = ints(1, 'a whole number of at least 1');
const fromZero = floats('a number of at least 0', (value) => value >= 0);
const folder: ValueKind<string> = { kind: 'text', expected: 'a folder', parse: (text) => text };
const device: ValueKind<string> = {
  kind: 'text',
  expected: 'cpu, cuda or cuda:0',
  parse: (text) => (/^(cpu|cuda(:\d+)?)$/.test(text) ? text : undefined),
};

/** The data sets of the original's scripts: their names here, and whether arguments for events apply. */
export const ORIGINAL_DATASETS = {
  MNIST: { name: 'mnist', kind: 'images' },
  FashionMNIST: { name: 'fashion-mnist', kind: 'images' },
  CIFAR10: { name: 'cifar10', kind: 'images' },
  NMNIST: { name: 'nmnist', kind: 'events' },
  CIFAR10DVS: { name: 'cifar10-dvs', kind: 'events' },
  ASLDVS: { name: 'asl-dvs', kind: 'events' },
  DVS128Gesture: { name: 'dvs128-gesture', kind: 'events' },
} as const;

const datasetNames = Object.keys(ORIGINAL_DATASETS) as (keyof typeof ORIGINAL_DATASETS)[];

/** All arguments of the original, under its names; on a command line, each has one dash. */
export const argumentTable = [
  {
    name: 'init_tau',
    value: floats('a number of time steps of at least 1', (value) => value >= 1),
    required: 'always',
    meaning: 'initial membrane time constant τ, in time steps',
  },
  {
    name: 'batch_size',
    value: counts,
    default: '16',
    meaning: 'clips per optimiser step; the paper says 16 for its baseline, 32 for its other models',
  },
  {
    name: 'learning_rate',
    value: floats('a number above 0', (value) => value > 0),
    default: '0.001',
    meaning: 'initial learning rate of Adam',
  },
  {
    name: 'T_max',
    value: counts,
    default: '64',
    meaning: 'epochs over which the learning rate falls to 0 (half the cosine’s period)',
  },
  { name: 'use_plif', meaning: 'learn τ (PLIF) instead of keeping it fixed (LIF)' },
  { name: 'alpha_learnable', meaning: 'also learn the slope of the surrogate gradient' },
  { name: 'use_max_pool', meaning: 'use max pooling instead of average pooling' },
  { name: 'device', value: device, required: 'always', meaning: 'cpu, cuda or cuda:0' },
  {
    name: 'dataset_name',
    value: choices(datasetNames),
    required: 'always',
    meaning: datasetNames.join(', '),
  },
  {
    name: 'log_dir_prefix',
    value: folder,
    required: 'always',
    meaning: 'parent folder for logs and checkpoints',
  },
  { name: 'T', value: counts, required: 'always', meaning: 'frames per clip, or time steps per still image' },
  { name: 'channels', value: counts, required: 'events', meaning: 'channels per convolution' },
  { name: 'number_layer', value: counts, required: 'events', meaning: 'number of convolutional blocks' },
  { name: 'split_by', value: choices(['time', 'number']), required: 'events', meaning: 'time or number' },
  {
    name: 'normalization',
    value: choices(['frequency', 'max', 'norm', 'sum', 'None']),
    default: 'None',
    meaning: 'frequency, max, norm, sum or None (event data)',
  },
  { name: 'max_epoch', value: counts, required: 'always', meaning: 'number of epochs' },
  { name: 'detach_reset', meaning: 'exclude the reset from the gradient' },
  {
    name: 'val_ratio',
    value: floats('a share from 0 to below 1', (value) => value >= 0 && value < 1),
    default: '0.15',
    meaning: 'share of each class held out for validation; 0 for none',
  },
  {
    name: 'tau_per_neuron',
    meaning: 'one τ per neuron, not per layer; the published script drops it: --compat code',
  },
  {
    name: 'tau_std_dev',
    value: fromZero,
    default: '0',
    meaning: 'standard deviation of the initial τ, in time steps',
  },
  { name: 'reg_lambda', value: fromZero, default: '0', meaning: 'λ of the penalty λ · Σ Var(w)' },
  {
    name: 'seed',
    value: ints(0, `a whole number from 0 to ${LARGEST_SEED}`, LARGEST_SEED),
    default: '2020',
    meaning: 'seed for all random numbers',
  },
] as const satisfies readonly Argument[];

export type ArgumentName = (typeof argumentTable)[number]['name'];

/** The table as lines for `--help`. */
export function describeArguments(): string[] {
  const table: readonly Argument[] = argumentTable;
  const heads = table.map(({ name, value }) => `-${name}${value === undefined ? '' : ` <${value.kind}>`}`);
  const width = Math.max(...heads.map((head) => head.length));
  return table.map(({ meaning, required, default: otherwise }, i) => {
    const remark =
      required === 'events'
        ? ' (required for event data)'
        : required === 'always'
          ? ' (required)'
          : otherwise === undefined
            ? ''
            : ` (default: ${otherwise})`;
    return `  ${heads[i]?.padEnd(width)}  ${meaning}${remark}`;
  });
}
