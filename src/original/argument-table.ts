/** One argument of the original's `train_val.py`, as people are told of it. */
export interface Argument {
  readonly name: string;
  /** A flag stands alone; all others are followed by a value. */
  readonly kind: 'flag' | 'float' | 'int' | 'text' | 'choice';
  /** What holds where it is not given, as Python prints it; none for those that must be given. */
  readonly default?: string;
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
  { name: 'init_tau', kind: 'float', meaning: 'τ of the membrane at the start, in time steps' },
  { name: 'batch_size', kind: 'int', default: '16', meaning: 'clips an optimiser step' },
  { name: 'learning_rate', kind: 'float', default: '0.001', meaning: 'Adam’s learning rate at the start' },
  { name: 'T_max', kind: 'int', default: '64', meaning: 'period of the cosine schedule, in epochs' },
  { name: 'use_plif', kind: 'flag', meaning: 'learn τ (PLIF); without it, it stays (LIF)' },
  { name: 'alpha_learnable', kind: 'flag', meaning: 'learn the slope of the surrogate gradient too' },
  { name: 'use_max_pool', kind: 'flag', meaning: 'pool by the maximum; without it, by the average' },
  { name: 'device', kind: 'text', meaning: 'cpu, cuda or cuda:0' },
  { name: 'dataset_name', kind: 'choice', meaning: datasetNames.join(', ') },
  { name: 'log_dir_prefix', kind: 'text', meaning: 'the folder below which logs and checkpoints are kept' },
  { name: 'T', kind: 'int', meaning: 'frames a clip, or steps that a still image is shown' },
  { name: 'channels', kind: 'int', default: 'None', meaning: 'channels of each convolution (event data)' },
  { name: 'number_layer', kind: 'int', default: 'None', meaning: 'blocks of convolution (event data)' },
  { name: 'split_by', kind: 'choice', default: 'None', meaning: `${splitRules.join(' or ')} (event data)` },
  {
    name: 'normalization',
    kind: 'choice',
    default: 'None',
    meaning: `${normalizations.join(', ')} or None (event data)`,
  },
  { name: 'max_epoch', kind: 'int', meaning: 'epochs to train' },
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

/** The table as lines of help. */
export function describeArguments(): string[] {
  const table: readonly Argument[] = argumentTable;
  const heads = table.map(({ name, kind }) =>
    kind === 'flag' ? `-${name}` : `-${name} <${kind === 'choice' ? 'name' : kind}>`,
  );
  const width = Math.max(...heads.map((head) => head.length));
  return table.map(
    ({ meaning, default: otherwise }, i) =>
      `  ${heads[i]?.padEnd(width)}  ${meaning}${otherwise === undefined ? '' : ` (default: ${otherwise})`}`,
  );
}
