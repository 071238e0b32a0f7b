/** One argument of the original's `train_val.py`, as people are told of it. */
export interface Argument {
  readonly name: string;
  /** A flag stands alone; all others are followed by a value. */
  readonly kind: 'flag' | 'float' | 'int' | 'text' | 'choice';
  /** What holds where it is not given, as Python prints it; none for those that must be given. */
  readonly default?: string;
  /** When it must be given: always, for event data, or to train, where it runs and writes. */
  readonly required?: 'always' | 'events' | 'training';
  readonly meaning: string;
}

export const datasetNames = [
  'MNIST',
  'FashionMNIST',
  'CIFAR10',
  'NMNIST',
  'CIFAR10DVS',
  'ASLDVS',
  'DVS128Gesture',
] as const;
export type DatasetName = (typeof datasetNames)[number];

export const splitRules = ['time', 'number'] as const;
export const normalizations = ['frequency', 'max', 'norm', 'sum'] as const;

/** All arguments of the original, under its names; with one dash in front on a command line. */
export const argumentTable = [
  {
    name: 'init_tau',
    kind: 'float',
    required: 'always',
    meaning: 'τ of the membrane at the start, in time steps',
  },
  { name: 'batch_size', kind: 'int', default: '16', meaning: 'clips an optimiser step' },
  { name: 'learning_rate', kind: 'float', default: '0.001', meaning: 'Adam’s learning rate at the start' },
  {
    name: 'T_max',
    kind: 'int',
    default: '64',
    meaning: 'epochs over which the learning rate falls to 0 (half the cosine’s period)',
  },
  { name: 'use_plif', kind: 'flag', meaning: 'learn τ (PLIF); without it, it stays (LIF)' },
  { name: 'alpha_learnable', kind: 'flag', meaning: 'learn the slope of the surrogate gradient too' },
  { name: 'use_max_pool', kind: 'flag', meaning: 'pool by the maximum; without it, by the average' },
  { name: 'device', kind: 'text', required: 'training', meaning: 'cpu, cuda or cuda:0' },
  { name: 'dataset_name', kind: 'choice', required: 'always', meaning: datasetNames.join(', ') },
  {
    name: 'log_dir_prefix',
    kind: 'text',
    required: 'training',
    meaning: 'the folder below which logs and checkpoints are kept',
  },
  {
    name: 'T',
    kind: 'int',
    required: 'always',
    meaning: 'frames a clip, or steps that a still image is shown',
  },
  {
    name: 'channels',
    kind: 'int',
    default: 'None',
    required: 'events',
    meaning: 'channels of each convolution',
  },
  {
    name: 'number_layer',
    kind: 'int',
    default: 'None',
    required: 'events',
    meaning: 'blocks of convolution',
  },
  { name: 'split_by', kind: 'choice', default: 'None', required: 'events', meaning: splitRules.join(' or ') },
  {
    name: 'normalization',
    kind: 'choice',
    default: 'None',
    meaning: `${normalizations.join(', ')} or None (event data)`,
  },
  { name: 'max_epoch', kind: 'int', required: 'always', meaning: 'epochs to train' },
  { name: 'detach_reset', kind: 'flag', meaning: 'leave the reset out of the gradient' },
  {
    name: 'val_ratio',
    kind: 'float',
    default: '0.15',
    meaning: 'share of each class that is held back for validation',
  },
  { name: 'tau_per_neuron', kind: 'flag', meaning: 'one τ a neuron instead of one a layer' },
  {
    name: 'tau_std_dev',
    kind: 'float',
    default: '0',
    meaning: 'standard deviation of τ at the start, in time steps',
  },
  { name: 'reg_lambda', kind: 'float', default: '0', meaning: 'λ of the penalty λ · Σ Var(w)' },
  { name: 'seed', kind: 'int', default: '2020', meaning: 'of all random numbers' },
] as const satisfies readonly Argument[];

export type ArgumentName = (typeof argumentTable)[number]['name'];

/** What the arguments are for: a training needs to know where it runs and where it writes, a configuration does not. */
export type Purpose = 'training' | 'configuration';

/** The table as lines of help. */
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

/** What holds where an argument is not given, as a remark. */
function describeOtherwise({ required, default: otherwise }: Argument, purpose: Purpose): string {
  if (required === 'events') return ' (required for event data)';
  if (required !== undefined && (required === 'always' || purpose === 'training')) return ' (required)';
  return otherwise === undefined ? '' : ` (default: ${otherwise})`;
}
