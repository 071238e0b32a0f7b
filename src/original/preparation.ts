import path from 'node:path';
import { ReproError } from '../errors.ts';
import type { CompatPresetName } from '../thesis/compat.ts';
import { findOriginal } from '../thesis/data-sets.ts';
import type { ResolvedModel } from '../training/model-file.ts';
import { warnOfSeed } from '../training/random-streams.ts';
import { resolveModel } from '../training/resolve-model.ts';
import type { ArgumentName } from './argument-table.ts';
import {
  countFittingLayers,
  type OriginalArguments,
  type ParsedArguments,
  parseArguments,
} from './arguments.ts';
import { type Configuration, describeConfiguration } from './model-config.ts';
import { formatPythonFloat } from './python-numbers.ts';

/** Everything that follows from a command line alone, without looking at data. */
export interface Preparation {
  readonly words: readonly string[];
  readonly parsed: ParsedArguments;
  readonly configuration: Configuration;
  readonly model: ResolvedModel;
  /** Its name in a profile. */
  readonly dataset: string;
  /** The profile for the real recordings. */
  readonly profile: string;
  /** Null for still images. */
  readonly frames: Configuration['profile']['frames'];
  readonly device: string;
  /** Absolute. */
  readonly logFolder: string;
  readonly checkpointFolder: string;
  readonly notes: readonly string[];
}

/**
 * Parses the arguments of a training and works out everything that follows from them.
 *
 * @param folder what a relative `-log_dir_prefix` is relative to
 * @throws {ReproError} `arguments-invalid`; `compat-impossible`
 */
export function prepareTraining(
  words: readonly string[],
  compat: CompatPresetName,
  folder: string,
): Preparation {
  const parsed = parseArguments(words, 'training');
  const { device, log_dir_prefix, seed } = parsed.values;
  const configuration = describeConfiguration(parsed, compat);
  const { dataset, frames } = configuration.profile;
  const model = resolveModel(configuration.model, {}, 'the arguments');
  const seedWarning = warnOfSeed(seed);
  const stop = describePublishedStop(parsed.values);
  const names = nameFolders(parsed);
  const prefix = path.resolve(folder, log_dir_prefix ?? '');
  return {
    words,
    parsed,
    configuration,
    model,
    dataset: dataset.name,
    profile: dataset.profile,
    frames,
    device: device ?? 'cpu',
    logFolder: path.join(prefix, names.log),
    checkpointFolder: path.join(prefix, names.checkpoints),
    notes: [
      ...parsed.notes,
      ...(stop === null ? [] : [stop]),
      ...configuration.notes,
      ...model.warnings,
      ...(seedWarning === undefined ? [] : [seedWarning]),
    ],
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
}: OriginalArguments): string | null {
  if (name === 'DVS128Gesture' || (name === 'MNIST' && !use_plif)) return null;
  const network = name === 'MNIST' ? 'MNIST’s network with PLIF neurons' : `the network for ${name}`;
  const how = tau_per_neuron ? ', with one τ per layer' : '';
  return `-dataset_name ${name}: the thesis’ published script stops here with a TypeError, since it cannot construct ${network}; Fang’s original code trains it${how}.`;
}

/**
 * Checks that the frames are large enough for the layers.
 *
 * @param downsample how many pixels of the sensor are merged into one, in each direction
 *
 * @throws {ReproError} `arguments-invalid`
 */
export function checkLayersFit({ parsed }: Preparation, downsample: number): void {
  const { dataset_name, number_layer } = parsed.values;
  const dataset = findOriginal(dataset_name);
  if (dataset.kind !== 'events' || number_layer === null) return;
  const height = Math.floor(dataset.sensor.height / downsample);
  const width = Math.floor(dataset.sensor.width / downsample);
  const most = countFittingLayers({ height, width });
  if (number_layer <= most) return;
  throw new ReproError(
    'arguments-invalid',
    `-number_layer ${number_layer}: each layer halves the frame, and with frames.downsample ${downsample} its ${height} x ${width} pixels allow at most ${most}.`,
    { fix: 'Use fewer layers, or a smaller --set frames.downsample.' },
  );
}

/** The original's folders for event files and for checkpoints, both directly in `-log_dir_prefix`. */
export interface FolderNames {
  readonly log: string;
  readonly checkpoints: string;
}

/** The names of a run's folders, exactly as the original writes them. */
export function nameFolders({ values, given }: ParsedArguments): FolderNames {
  const float = (name: 'init_tau' | 'tau_std_dev' | 'reg_lambda' | 'val_ratio'): string =>
    printFloat(values[name], name, given);
  const parts = [
    `val_${float('val_ratio')}`,
    values.dataset_name,
    `init_tau_${float('init_tau')}`,
    `tau_std_dev_${float('tau_std_dev')}`,
    `use_plif_${printFlag(values.use_plif)}`,
    `use_max_pool_${printFlag(values.use_max_pool)}`,
    `T_${values.T}`,
    `c_${values.channels ?? 'None'}`,
    `n_${values.number_layer ?? 'None'}`,
    `split_by_${values.split_by ?? 'None'}`,
    `normalization_${values.normalization ?? 'None'}`,
    `detach_reset_${printFlag(values.detach_reset)}`,
    `tau_per_neuron_${printFlag(values.tau_per_neuron)}`,
    `lambda_reg_${float('reg_lambda')}`,
  ];
  const log = parts.join('_');
  return { log, checkpoints: `pt_${log}` };
}

/** Numbers given on the command line are floats; the script's own zeros are integers and stay so. */
function printFloat(value: number, name: ArgumentName, given: ReadonlySet<ArgumentName>): string {
  return !given.has(name) && Number.isInteger(value) ? String(value) : formatPythonFloat(value);
}

function printFlag(value: boolean): string {
  return value ? 'True' : 'False';
}
