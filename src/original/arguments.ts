import { ReproError } from '../errors.ts';
import { findOriginal, type OriginalName } from '../thesis/data-sets.ts';
import {
  type ArgumentName,
  datasetNames,
  normalizations,
  type Purpose,
  splitRules,
} from './argument-table.ts';
import { readCommandLine, ValueReader } from './command-line.ts';

/** The values of all arguments, under the original's names; null stands for Python's `None`. */
export interface OriginalArguments {
  /** In time steps. */
  readonly init_tau: number;
  readonly batch_size: number;
  readonly learning_rate: number;
  /** Half the period of the cosine schedule, in epochs. Not to be confused with T, the number of time steps. */
  readonly T_max: number;
  readonly use_plif: boolean;
  readonly alpha_learnable: boolean;
  readonly use_max_pool: boolean;
  readonly device: string | null;
  readonly dataset_name: OriginalName;
  readonly log_dir_prefix: string | null;
  readonly T: number;
  readonly channels: number | null;
  readonly number_layer: number | null;
  readonly split_by: (typeof splitRules)[number] | null;
  readonly normalization: (typeof normalizations)[number] | null;
  readonly max_epoch: number;
  readonly detach_reset: boolean;
  readonly val_ratio: number;
  readonly tau_per_neuron: boolean;
  readonly tau_std_dev: number;
  readonly reg_lambda: number;
  readonly seed: number;
}

export interface ParsedArguments {
  readonly values: OriginalArguments;
  /** Those given explicitly: Python prints them as floats, but defaults as they are written in the script. */
  readonly given: ReadonlySet<ArgumentName>;
  /** Remarks on what is accepted but may not mean what it seems to. */
  readonly notes: readonly string[];
}

/**
 * Parses the original's arguments.
 *
 * @param words as split by the shell, without our own options
 * @throws {ReproError} `arguments-invalid`, listing every problem
 */
export function parseArguments(words: readonly string[], purpose: Purpose): ParsedArguments {
  const line = readCommandLine(words, purpose);
  const read = new ValueReader(line.words);
  const neededToTrain = (name: ArgumentName, value: string | undefined): string | null =>
    purpose === 'training' ? read.need(name, value, '') : (value ?? null);
  const above = (least: number) => (value: number) => value > least;
  const atLeastZero = (value: number) => value >= 0;
  const usePlif = read.flag('use_plif');
  const normalization = read.choice('normalization', [...normalizations, 'None']);
  const values: OriginalArguments = {
    init_tau: read.need('init_tau', readTau(read, usePlif), 2),
    batch_size: read.count('batch_size') ?? 16,
    learning_rate: read.float('learning_rate', above(0), 'a number above 0') ?? 1e-3,
    T_max: read.count('T_max') ?? 64,
    use_plif: usePlif,
    alpha_learnable: read.flag('alpha_learnable'),
    use_max_pool: read.flag('use_max_pool'),
    device: neededToTrain('device', read.device('device')),
    dataset_name: read.need('dataset_name', read.choice('dataset_name', datasetNames), 'DVS128Gesture'),
    log_dir_prefix: neededToTrain('log_dir_prefix', read.text('log_dir_prefix')),
    T: read.need('T', read.count('T'), 1),
    channels: read.count('channels') ?? null,
    number_layer: read.count('number_layer') ?? null,
    split_by: read.choice('split_by', splitRules) ?? null,
    normalization: normalization === undefined || normalization === 'None' ? null : normalization,
    max_epoch: read.need('max_epoch', read.count('max_epoch'), 1),
    detach_reset: read.flag('detach_reset'),
    val_ratio: read.float('val_ratio', (v) => v >= 0 && v < 1, 'a share from 0 to below 1') ?? 0.15,
    tau_per_neuron: read.flag('tau_per_neuron'),
    tau_std_dev: read.float('tau_std_dev', atLeastZero, 'a number of at least 0') ?? 0,
    reg_lambda: read.float('reg_lambda', atLeastZero, 'a number of at least 0') ?? 0,
    seed: read.seed('seed') ?? 2020,
  };
  const given = new Set(line.words.keys());
  const found = findContradictions(values, given, read.broken);
  const problems = [...line.problems, ...read.problems, ...found.problems];
  const missing = [...read.missing, ...found.missing];
  if (missing.length > 0) {
    const list = missing.map((name) => `-${name}`).join(', ');
    problems.push(`missing: ${list}.`);
  }
  if (problems.length > 0) throw refuse(problems, purpose);
  return { values, given, notes: [...line.notes, ...found.notes] };
}

function readTau(read: ValueReader, isLearned: boolean): number | undefined {
  return isLearned
    ? read.float('init_tau', (value) => value > 1, 'a number of time steps above 1')
    : read.float('init_tau', (value) => value >= 1, 'a number of time steps of at least 1');
}

function refuse(problems: readonly string[], purpose: Purpose): ReproError {
  const command = purpose === 'training' ? 'train-val' : 'config from-args';
  const [only] = problems;
  const message =
    problems.length === 1 && only !== undefined
      ? only
      : `There are ${problems.length} problems with the arguments:\n${problems.map((one) => `  ${one}`).join('\n')}`;
  return new ReproError('arguments-invalid', message, {
    fix: `\`repro ${command} --help\` lists the arguments.`,
  });
}

interface Contradictions {
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  /** Arguments that this data set requires but that were not given. */
  readonly missing: readonly ArgumentName[];
}

const eventArguments = ['channels', 'number_layer', 'split_by'] as const;

/** Why the original's script cannot train on a data set. */
const refusals: Partial<Record<OriginalName, string>> = {
  ASLDVS:
    'neither the thesis’ script nor Fang’s original code has a network for it: the class of that name only scales frames to 256 x 256',
};

/**
 * Finds contradictions between arguments that are valid on their own.
 *
 * @param broken arguments with problems that were reported already
 */
function findContradictions(
  values: OriginalArguments,
  given: ReadonlySet<ArgumentName>,
  broken: ReadonlySet<ArgumentName>,
): Contradictions {
  const problems: string[] = [];
  const notes: string[] = [];
  const missing: ArgumentName[] = [];
  const areSound = (...names: readonly ArgumentName[]): boolean => names.every((name) => !broken.has(name));

  if (values.tau_per_neuron && !values.use_plif) {
    problems.push(
      '-tau_per_neuron without -use_plif: if τ is not learned, all neurons keep -init_tau, so none has its own τ.',
    );
  }
  if (values.tau_std_dev > 0 && !values.tau_per_neuron && areSound('tau_std_dev')) {
    problems.push(
      `-tau_std_dev ${values.tau_std_dev} without -tau_per_neuron: the single τ of a layer has no spread.`,
    );
  }
  if (values.reg_lambda > 0 && !values.tau_per_neuron && areSound('reg_lambda')) {
    problems.push(
      `-reg_lambda ${values.reg_lambda} without -tau_per_neuron: the original then adds no penalty, despite the λ in its folder's name. ` +
        'Leave it out, or add -tau_per_neuron.',
    );
  }
  if (areSound('dataset_name')) {
    const dataset = findOriginal(values.dataset_name);
    if (dataset.kind === 'images') notes.push(...describeIgnored(values.dataset_name, given));
    const refusal = refusals[values.dataset_name];
    if (refusal !== undefined) {
      problems.push(
        `-dataset_name ${values.dataset_name}: ${refusal}. Here, profile ${dataset.profile} trains one.`,
      );
    } else if (dataset.kind === 'events') {
      missing.push(...eventArguments.filter((name) => !given.has(name)));
      const most = countFittingLayers(dataset.sensor);
      if (areSound('number_layer') && (values.number_layer ?? 0) > most) {
        problems.push(
          `-number_layer ${values.number_layer}: each layer halves the frame, and ${dataset.sensor.height} x ${dataset.sensor.width} pixels allow at most ${most} layers.`,
        );
      }
    }
  }
  const card = /^cuda:(\d+)$/.exec(values.device ?? '')?.[1];
  if (card !== undefined && Number(card) > 0) {
    notes.push(
      `-device ${values.device}: the first visible GPU is used; select one with CUDA_VISIBLE_DEVICES=${card}.`,
    );
  }
  return { problems, notes, missing };
}

function describeIgnored(dataset: string, given: ReadonlySet<ArgumentName>): string[] {
  const ignored = [...eventArguments, 'normalization' as const].filter((name) => given.has(name));
  if (ignored.length === 0) return [];
  const list = ignored.map((name) => `-${name}`).join(', ');
  return [`${list}: ignored, for event data only; the network for ${dataset} is fixed, as in the original.`];
}

/** The number of blocks that a frame of this size allows: each halves height and width. */
export function countFittingLayers({
  height,
  width,
}: {
  readonly height: number;
  readonly width: number;
}): number {
  return Math.floor(Math.log2(Math.min(height, width)));
}
