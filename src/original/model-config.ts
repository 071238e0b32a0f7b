import { stringify } from 'yaml';
import { ReproError } from '../errors.ts';
import { COMPAT_PRESETS, type Compat, type CompatPresetName, pickChangedSwitches } from '../thesis/compat.ts';
import { type DataSet, findOriginal } from '../thesis/data-sets.ts';
import { BATCH_SIZES, LAYER_TAU, SURROGATE_ALPHA } from '../thesis/published.ts';
import type { ModelFile } from '../training/model-file.ts';
import type { OriginalArguments, ParsedArguments } from './arguments.ts';

/** The arguments that belong to a profile. */
export interface ProfileParts {
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

export interface Configuration {
  readonly model: ModelFile;
  readonly profile: ProfileParts;
  readonly notes: readonly string[];
}

/**
 * The configuration that is equivalent to the original's arguments.
 *
 * @throws {ReproError} `compat-impossible` for a λ with the switches of the published script
 */
export function translateArguments(parsed: ParsedArguments, preset: CompatPresetName): Configuration {
  const { values } = parsed;
  const dataset = findOriginal(values.dataset_name);
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
    dataset: { name: dataset.name, profile: dataset.profile },
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
  dataset: DataSet,
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

/** The longest comment line: fits an editor that is split in two. */
const columns = 110;

/**
 * A model file as text. The command that trains it follows as a comment, since a model file has no place for the settings of a profile.
 *
 * @param words the arguments that it comes from
 */
export function formatModelFile(
  { model, profile: { dataset, frames, seed } }: Configuration,
  words: readonly string[],
): string {
  const set = [
    "'models=[NAME]'",
    `'seeds=[${seed}]'`,
    ...Object.entries(frames ?? {})
      // `none` is the default; setting it explicitly would make the frames stale.
      .filter(([, value]) => value !== 'none')
      .map(([key, value]) => `frames.${key}=${value}`),
  ].map((setting) => `--set ${setting}`);
  return [
    '# yaml-language-server: $schema=../../schemas/model.schema.json',
    '# A model: save it as configs/models/NAME.yaml. It is equivalent to these arguments of the original:',
    ...wrapComment(words),
    stringify(model, { lineWidth: 0 }),
    ...(model.compat === undefined ? [] : ['# docs/deviations.md explains `compat`.']),
    '# The other settings belong to a profile. This trains the model:',
    ...wrapComment(['./repro', 'run', '--profile', dataset.profile, ...set]),
    '',
  ].join('\n');
}

/** Wraps words into comment lines. */
function wrapComment(words: readonly string[]): string[] {
  const lines = ['#  '];
  for (const word of words) {
    // A line break in a word would end the comment.
    const shown = word.replace(/\s+/g, ' ');
    const line = lines.at(-1) ?? '';
    if (line.length + shown.length <= columns) lines[lines.length - 1] = `${line} ${shown}`;
    else lines.push(`#   ${shown}`);
  }
  return lines;
}
