import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import type { DatasetFacts } from '../../results/dataset-facts.ts';
import {
  COMPAT_PRESETS,
  type Compat,
  type CompatPresetName,
  pickChangedSwitches,
} from '../../results/thesis/compat.ts';
import { BATCH_SIZES, LAYER_TAU, SURROGATE_ALPHA } from '../../results/thesis/published.ts';
import { type ModelFile, type ResolvedModel, resolveModel } from '../../training/resolve-model.ts';
import type { ArgumentName } from './argument-table.ts';
import { type OriginalArguments, type ParsedArguments, parseArguments } from './arguments.ts';

/** Everything that follows from a command line alone, without looking at data. */
export interface Preparation {
  /** Of the data set. */
  readonly facts: DatasetFacts;
  readonly words: readonly string[];
  readonly values: OriginalArguments;
  readonly model: ResolvedModel;
  readonly profile: ProfileParts;
  /** Absolute. */
  readonly logFolder: string;
  readonly checkpointFolder: string;
  readonly notes: readonly string[];
}

/**
 * Parses the arguments of a training and works out everything that follows from them.
 *
 * @param folder what a relative `-log_dir_prefix` is relative to
 * @param facts of the data set that they name
 * @throws {ReproError} `arguments-invalid`; `compat-impossible`
 */
export function prepareTraining(
  words: readonly string[],
  compat: CompatPresetName,
  folder: string,
  facts: DatasetFacts,
): Preparation {
  const parsed = parseArguments(words);
  const { values } = parsed;
  const { model: file, profile, notes } = translateArguments(parsed, compat, facts);
  const model = resolveModel(file, {}, 'the arguments');
  const names = nameFolders(parsed);
  const prefix = path.resolve(folder, values.log_dir_prefix ?? '');
  const more = [describePublishedStop(values), ...notes];
  return {
    words,
    values,
    facts,
    model,
    profile,
    logFolder: path.join(prefix, names.log),
    checkpointFolder: path.join(prefix, names.checkpoints),
    notes: [...parsed.notes, ...more.filter((note) => note !== undefined)],
  };
}

/**
 * A note if the thesis' published script would stop at these arguments: its networks for other data sets than DVS128 Gesture were not
 * carried over to its new constructors, except MNIST's with LIF neurons.
 */
function describePublishedStop({
  dataset_name: name,
  use_plif,
  tau_per_neuron,
}: OriginalArguments): string | undefined {
  if (name === 'DVS128Gesture' || (name === 'MNIST' && !use_plif)) return undefined;
  const network = name === 'MNIST' ? 'MNIST’s network with PLIF neurons' : `the network for ${name}`;
  const how = tau_per_neuron ? ', with one τ per layer' : '';
  return `-dataset_name ${name}: the thesis’ published script stops here with a TypeError, since it cannot construct ${network}; Fang’s original code trains it${how}.`;
}

/**
 * The names of a run's folders for event files and for checkpoints, exactly as the original writes them: both are directly in
 * `-log_dir_prefix`.
 */
export function nameFolders({ values, given }: ParsedArguments): {
  readonly log: string;
  readonly checkpoints: string;
} {
  // Numbers given on the command line are floats; the script's own zeros are integers and stay so.
  const float = (name: ArgumentName): string => {
    const value = Number(values[name]);
    return !given.has(name) && Number.isInteger(value) ? String(value) : formatPythonFloat(value);
  };
  const flag = (value: boolean): string => (value ? 'True' : 'False');
  const log = [
    `val_${float('val_ratio')}`,
    values.dataset_name,
    `init_tau_${float('init_tau')}`,
    `tau_std_dev_${float('tau_std_dev')}`,
    `use_plif_${flag(values.use_plif)}`,
    `use_max_pool_${flag(values.use_max_pool)}`,
    `T_${values.T}`,
    `c_${values.channels ?? 'None'}`,
    `n_${values.number_layer ?? 'None'}`,
    `split_by_${values.split_by ?? 'None'}`,
    `normalization_${values.normalization ?? 'None'}`,
    `detach_reset_${flag(values.detach_reset)}`,
    `tau_per_neuron_${flag(values.tau_per_neuron)}`,
    `lambda_reg_${float('reg_lambda')}`,
  ].join('_');
  return { log, checkpoints: `pt_${log}` };
}

/**
 * A finite float as Python's `repr` prints it: the shortest digits that read back as the same number, with a decimal point, and with an
 * exponent below 1e-4 and from 1e16 on. JavaScript prints the same digits, but whole numbers without a point, and other exponents.
 *
 * @see https://docs.python.org/3/library/functions.html#repr and `float.__repr__`, format code `r`
 */
export function formatPythonFloat(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (value !== 0 && (exponent < -4 || exponent >= 16)) {
    const digits = String(Math.abs(exponent)).padStart(2, '0');
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`;
  }
  // Between 1e-4 and 1e16, JavaScript uses no exponent either.
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/** The arguments that belong to a profile. */
interface ProfileParts {
  /** The data set's name there, and the profile for it. */
  readonly dataset: { readonly name: string; readonly profile: string };
  /** null for still images. */
  readonly frames: {
    readonly steps: number;
    readonly splitBy: 'number' | 'time';
    readonly normalization: 'none' | 'frequency' | 'max' | 'norm' | 'sum';
  } | null;
  readonly seed: number;
}

interface Configuration {
  readonly model: ModelFile;
  readonly profile: ProfileParts;
  readonly notes: readonly string[];
}

/**
 * The configuration that is equivalent to the original's arguments.
 *
 * @throws {ReproError} `compat-impossible` for a λ with the switches of the published script
 */
export function translateArguments(
  parsed: ParsedArguments,
  preset: CompatPresetName,
  dataset: DatasetFacts,
): Configuration {
  const { values } = parsed;
  const { switches, notes } = settleSwitches(parsed, COMPAT_PRESETS[preset]);
  const batch = settleBatchSize(parsed, preset);
  const changed = pickChangedSwitches(switches);
  const neuron = values.use_plif ? 'plif' : 'lif';
  const model: ModelFile = {
    title: describeTitle(values, switches),
    description: `The model that the original trains on ${values.dataset_name} with these arguments.`,
    network: {
      ...describeSize(dataset, parsed),
      neuron,
      tau: {
        per: values.tau_per_neuron ? 'neuron' : 'layer',
        mean: values.init_tau,
        std: values.tau_std_dev,
      },
      reset: { kind: 'hard', detach: values.detach_reset },
      surrogate: { kind: 'atan', alpha: SURROGATE_ALPHA, learnable: values.alpha_learnable },
      pooling: values.use_max_pool ? 'max' : 'average',
    },
    loss: { regulariseTau: values.reg_lambda },
    train: {
      epochs: values.max_epoch,
      batchSize: batch.size,
      learningRate: values.learning_rate,
      cosineHalfPeriod: values.T_max,
      validationShare: values.val_ratio,
    },
    ...(Object.keys(changed).length === 0 ? {} : { compat: changed }),
  };
  const profile: ProfileParts = {
    dataset: { name: dataset.name, profile: dataset.profile ?? dataset.name },
    frames:
      dataset.kind === 'events'
        ? {
            steps: values.T,
            splitBy: values.split_by ?? 'number',
            normalization: values.normalization ?? 'none',
          }
        : null,
    seed: values.seed,
  };
  return { model, profile, notes: [...notes, ...batch.notes] };
}

/** An argument that is not given has the script's default, except with `runs`: those of models with one τ per neuron had another. */
function settleBatchSize(
  { values, given }: ParsedArguments,
  preset: CompatPresetName,
): { readonly size: number; readonly notes: readonly string[] } {
  const { batch_size, tau_per_neuron } = values;
  if (!tau_per_neuron || given.has('batch_size') || preset === 'code') return { size: batch_size, notes: [] };
  const published = `the paper's batches of models with one τ per neuron have ${BATCH_SIZES.perNeuron} clips`;
  return preset === 'runs'
    ? { size: BATCH_SIZES.perNeuron, notes: [`-batch_size is ${BATCH_SIZES.perNeuron}: ${published}.`] }
    : { size: batch_size, notes: [`-batch_size is ${batch_size}, the original's default; ${published}.`] };
}

/**
 * The switches in force with these arguments: explicit arguments override what the published runs show, and a switch that changes nothing
 * about this model is not set, because presets are meant for every model.
 *
 * @throws {ReproError} `compat-impossible` if the published script's loss is NaN
 */
function settleSwitches(
  { values }: ParsedArguments,
  compat: Compat,
): { readonly switches: Compat; readonly notes: readonly string[] } {
  const notes: string[] = [];
  let switches = compat;
  if (compat.tau_per_neuron === 'dropped') {
    if (!values.tau_per_neuron) switches = { ...switches, tau_per_neuron: 'passed' };
    else if (values.reg_lambda > 0) throw singleTauError(values.reg_lambda);
    else
      notes.push(
        '-tau_per_neuron is not passed on to the network, as in the published script: each layer has one τ.',
      );
  }
  if (compat.trials === 'first-88' && values.dataset_name !== 'DVS128Gesture') {
    switches = { ...switches, trials: 'all' };
    notes.push('The first 88 recordings are a subset of DVS128Gesture only; all clips are used here.');
  }
  if (values.val_ratio === 0) {
    switches = { ...switches, validation: 'all' };
    notes.push(
      '-val_ratio 0: no clips are held back and the last epoch is kept; the original stops without validation clips.',
    );
  }
  const isShared = values.use_plif && !hasTauPerNeuron(values, switches);
  const isIgnored = isShared && values.init_tau !== LAYER_TAU;
  if (!isIgnored) switches = { ...switches, base_tau: 'configured' };
  else if (compat.base_tau === 'configured') {
    notes.push(
      `-init_tau ${values.init_tau} is used; the original starts one τ per layer at ${LAYER_TAU} regardless (--compat code).`,
    );
  } else {
    notes.push(
      `-init_tau ${values.init_tau} is not used: as in the original, one τ per layer starts at ${LAYER_TAU}.`,
    );
  }
  return { switches, notes };
}

function hasTauPerNeuron(values: OriginalArguments, switches: Compat): boolean {
  return values.tau_per_neuron && switches.tau_per_neuron === 'passed';
}

function singleTauError(lambda: number): ReproError {
  return new ReproError(
    'compat-impossible',
    `-reg_lambda ${lambda} with --compat code: the published script does not pass -tau_per_neuron on, so λ would multiply the variance ` +
      'of a single τ per layer, which is NaN, and so is the loss from the first batch on.',
    { fix: 'Leave out -reg_lambda, or use --compat intent or --compat runs.' },
  );
}

function describeSize(
  dataset: DatasetFacts,
  { values }: ParsedArguments,
): Pick<ModelFile['network'], 'architecture' | 'steps' | 'channels' | 'layers' | 'hidden'> {
  if (dataset.kind !== 'images') {
    // The parser has made sure that both are given for event data.
    return { channels: values.channels ?? 1, layers: values.number_layer ?? 1 };
  }
  const { architecture, channels, hidden } = dataset.network;
  return { architecture, steps: values.T, channels, hidden };
}

function describeTitle(values: OriginalArguments, switches: Compat): string {
  const { dataset_name, use_plif, tau_std_dev, reg_lambda, init_tau } = values;
  if (!hasTauPerNeuron(values, switches)) {
    return `${dataset_name}, ${use_plif ? 'one τ per layer' : `τ fixed at ${init_tau}`}`;
  }
  return [
    `${dataset_name}, one τ per neuron`,
    ...(tau_std_dev > 0 ? [`σ ${tau_std_dev}`] : []),
    ...(reg_lambda > 0 ? [`λ ${reg_lambda}`] : []),
  ].join(', ');
}
