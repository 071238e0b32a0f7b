import { DATA_SETS, type OriginalName } from '../thesis/data-sets.ts';

/** One argument of the original's `train_val.py`, as the help describes it. */
export interface Argument {
  readonly name: string;
  /** A flag has no value; all others are followed by one. */
  readonly kind: 'flag' | 'float' | 'int' | 'text' | 'choice';
  /** The default as Python prints it; undefined for flags and required arguments. */
  readonly default?: string;
  /** When it is required: always, for event data, or for training as opposed to printing a configuration. */
  readonly required?: 'always' | 'events' | 'training';
  readonly meaning: string;
}

export const datasetNames: readonly OriginalName[] = Object.values(DATA_SETS).map(
  ({ originalName }) => originalName,
);

export const splitRules = ['time', 'number'] as const;
export const normalizations = ['frequency', 'max', 'norm', 'sum'] as const;

/** All arguments of the original, under its names; on a command line, each has one dash. */
export const argumentTable = [
  {
    name: 'init_tau',
    kind: 'float',
    required: 'always',
    meaning: 'initial membrane time constant τ, in time steps',
  },
  {
    name: 'batch_size',
    kind: 'int',
    default: '16',
    meaning: 'clips per optimiser step; the paper says 16 for its baseline, 32 for its other models',
  },
  { name: 'learning_rate', kind: 'float', default: '0.001', meaning: 'initial learning rate of Adam' },
  {
    name: 'T_max',
    kind: 'int',
    default: '64',
    meaning: 'epochs over which the learning rate falls to 0 (half the cosine’s period)',
  },
  { name: 'use_plif', kind: 'flag', meaning: 'learn τ (PLIF) instead of keeping it fixed (LIF)' },
  { name: 'alpha_learnable', kind: 'flag', meaning: 'also learn the slope of the surrogate gradient' },
  { name: 'use_max_pool', kind: 'flag', meaning: 'use max pooling instead of average pooling' },
  { name: 'device', kind: 'text', required: 'training', meaning: 'cpu, cuda or cuda:0' },
  { name: 'dataset_name', kind: 'choice', required: 'always', meaning: datasetNames.join(', ') },
  {
    name: 'log_dir_prefix',
    kind: 'text',
    required: 'training',
    meaning: 'parent folder for logs and checkpoints',
  },
  {
    name: 'T',
    kind: 'int',
    required: 'always',
    meaning: 'frames per clip, or time steps per still image',
  },
  {
    name: 'channels',
    kind: 'int',
    default: 'None',
    required: 'events',
    meaning: 'channels per convolution',
  },
  {
    name: 'number_layer',
    kind: 'int',
    default: 'None',
    required: 'events',
    meaning: 'number of convolutional blocks',
  },
  { name: 'split_by', kind: 'choice', default: 'None', required: 'events', meaning: splitRules.join(' or ') },
  {
    name: 'normalization',
    kind: 'choice',
    default: 'None',
    meaning: `${normalizations.join(', ')} or None (event data)`,
  },
  { name: 'max_epoch', kind: 'int', required: 'always', meaning: 'number of epochs' },
  { name: 'detach_reset', kind: 'flag', meaning: 'exclude the reset from the gradient' },
  {
    name: 'val_ratio',
    kind: 'float',
    default: '0.15',
    meaning: 'share of each class held out for validation; 0 for none',
  },
  {
    name: 'tau_per_neuron',
    kind: 'flag',
    meaning: 'one τ per neuron, not per layer; the published script drops it: --compat code',
  },
  {
    name: 'tau_std_dev',
    kind: 'float',
    default: '0',
    meaning: 'standard deviation of the initial τ, in time steps',
  },
  { name: 'reg_lambda', kind: 'float', default: '0', meaning: 'λ of the penalty λ · Σ Var(w)' },
  { name: 'seed', kind: 'int', default: '2020', meaning: 'seed for all random numbers' },
] as const satisfies readonly Argument[];

export type ArgumentName = (typeof argumentTable)[number]['name'];

/** What the arguments are for. Unlike a configuration, a training needs a device and an output folder. */
export type Purpose = 'training' | 'configuration';

/** The table as lines for `--help`. */
export function describeArguments(purpose: Purpose): string[] {
  const table: readonly Argument[] = argumentTable;
  const heads = table.map(({ name, kind }) =>
    kind === 'flag' ? `-${name}` : `-${name} <${kind === 'choice' ? 'name' : kind}>`,
  );
  const width = Math.max(...heads.map((head) => head.length));
  return table.map(
    (argument, i) =>
      `  ${heads[i]?.padEnd(width)}  ${argument.meaning}${describeOtherwise(argument, purpose)}`,
  );
}

/** The default, or that there is none, as a remark. */
function describeOtherwise({ required, default: otherwise }: Argument, purpose: Purpose): string {
  if (required === 'events') return ' (required for event data)';
  if (required !== undefined && (required === 'always' || purpose === 'training')) return ' (required)';
  return otherwise === undefined ? '' : ` (default: ${otherwise})`;
}
