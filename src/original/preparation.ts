import path from 'node:path';
import type { CompatPresetName } from '../thesis/compat.ts';
import type { ResolvedModel } from '../training/model-file.ts';
import { resolveModel } from '../training/resolve-model.ts';
import type { ArgumentName } from './argument-table.ts';
import { type OriginalArguments, type ParsedArguments, parseArguments } from './arguments.ts';
import { type ProfileParts, translateArguments } from './model-config.ts';
import { formatPythonFloat } from './python-numbers.ts';

/** Everything that follows from a command line alone, without looking at data. */
export interface Preparation {
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
 * @throws {ReproError} `arguments-invalid`; `compat-impossible`
 */
export function prepareTraining(
  words: readonly string[],
  compat: CompatPresetName,
  folder: string,
): Preparation {
  const parsed = parseArguments(words, 'training');
  const { values } = parsed;
  const { model: file, profile, notes } = translateArguments(parsed, compat);
  const model = resolveModel(file, {}, 'the arguments');
  const names = nameFolders(parsed);
  const prefix = path.resolve(folder, values.log_dir_prefix ?? '');
  const more = [describePublishedStop(values), ...notes];
  return {
    words,
    values,
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
