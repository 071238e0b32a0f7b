import { ReproError } from '../errors.ts';
import { LOGGED_BATCH_SIZE, PUBLISHED_TAU } from '../training/apply-compat.ts';
import type { Compat } from '../training/compat.ts';
import type { OriginalArguments, ParsedArguments } from './arguments.ts';
import { pickChangedSwitches } from './compat-presets.ts';
import { type OriginalDataset, originalDatasets } from './data-sets.ts';

/** The sections of a model's file, `configs/models/<id>.yaml`. */
export interface ModelFile {
  readonly title: string;
  readonly description: string;
  readonly network: {
    readonly architecture?: 'mnist' | 'cifar10';
    /** Of a still image, how often it is shown; of events, T is how the frames were made. */
    readonly steps?: number;
    readonly channels: number;
    readonly layers?: number;
    readonly hidden?: number;
    readonly neuron: 'plif' | 'lif';
    readonly tau: { readonly per: 'layer' | 'neuron'; readonly mean: number; readonly std: number };
    readonly reset: { readonly kind: 'hard'; readonly detach: boolean };
    readonly surrogate: { readonly kind: 'atan'; readonly alpha: number; readonly learnable: boolean };
    readonly pooling: 'max' | 'average';
  };
  readonly loss: { readonly regulariseTau: number };
  readonly train: {
    readonly epochs: number;
    readonly batchSize: number;
    readonly learningRate: number;
    readonly cosineHalfPeriod: number;
    readonly validationShare: number;
  };
  /** Only the switches that are not at their default. */
  readonly compat?: Partial<Compat>;
}

/** What the arguments say that belongs to a profile. */
export interface ProfileParts {
  /** The data set's name there, and the profile that has it; null where it cannot be read yet. */
  readonly dataset: { readonly name: string; readonly profile: string } | null;
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

/** Slope of the arctan surrogate, and where the original puts a neuron that has spiked: no argument changes either. */
const surrogateAlpha = 2;

/**
 * The sections of configuration files that mean what the original's arguments mean.
 *
 * @throws {ReproError} `compat-impossible` for a λ with the switches of the published script
 */
export function describeConfiguration(parsed: ParsedArguments, compat: Compat): Configuration {
  const { values } = parsed;
  const dataset = originalDatasets[values.dataset_name];
  const { switches, notes } = settleSwitches(parsed, compat);
  const changed = pickChangedSwitches(switches);
  const neuron = values.use_plif ? 'plif' : 'lif';
  const model: ModelFile = {
    title: describeTitle(values, switches),
    description: `What the original trains on ${values.dataset_name} with these arguments.`,
    network: {
      ...describeSize(dataset, parsed),
      neuron,
      tau: {
        per: values.tau_per_neuron ? 'neuron' : 'layer',
        mean: values.init_tau,
        std: values.tau_std_dev,
      },
      reset: { kind: 'hard', detach: values.detach_reset },
      surrogate: { kind: 'atan', alpha: surrogateAlpha, learnable: values.alpha_learnable },
      pooling: values.use_max_pool ? 'max' : 'average',
    },
    loss: { regulariseTau: values.reg_lambda },
    train: {
      epochs: values.max_epoch,
      batchSize: values.batch_size,
      learningRate: values.learning_rate,
      cosineHalfPeriod: values.T_max,
      validationShare: values.val_ratio,
    },
    ...(Object.keys(changed).length === 0 ? {} : { compat: changed }),
  };
  const profile: ProfileParts = {
    dataset: dataset.reader,
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
  return { model, profile, notes };
}

/**
 * The switches as they hold with these arguments: what was given goes over what the published runs show, and a switch that changes nothing
 * about this model is not set, since a set of them is meant for every model.
 *
 * @throws {ReproError} `compat-impossible` where the published script has no loss
 */
function settleSwitches(
  { values, given }: ParsedArguments,
  compat: Compat,
): { readonly switches: Compat; readonly notes: readonly string[] } {
  const notes: string[] = [];
  let switches = compat;
  if (compat.tau_per_neuron === 'dropped') {
    if (!values.tau_per_neuron) switches = { ...switches, tau_per_neuron: 'passed' };
    else if (values.reg_lambda > 0) throw singleTauError(values.reg_lambda);
    else notes.push('-tau_per_neuron is not passed on, as in the published script: each layer has one τ.');
  }
  if (compat.batch_size === 'logged' && given.has('batch_size')) {
    switches = { ...switches, batch_size: 'documented' };
    notes.push(
      `-batch_size ${values.batch_size} is given, so it holds, and not the ${LOGGED_BATCH_SIZE} of the published logs.`,
    );
  }
  if (compat.trials === 'first-88' && values.dataset_name !== 'DVS128Gesture') {
    switches = { ...switches, trials: 'all' };
    notes.push('Only of DVS128Gesture are the first 88 recordings taken: all clips take part.');
  }
  const isShared = values.use_plif && !hasTauPerNeuron(values, switches);
  const isIgnored = isShared && values.init_tau !== PUBLISHED_TAU;
  if (!isIgnored) switches = { ...switches, base_tau: 'configured' };
  else if (compat.base_tau === 'configured') {
    notes.push(
      `-init_tau ${values.init_tau} holds; the original starts a τ that a layer shares at ${PUBLISHED_TAU} whatever this says (--compat code).`,
    );
  } else {
    notes.push(
      `-init_tau ${values.init_tau} is not used: as in the original, a τ that a layer shares starts at ${PUBLISHED_TAU}.`,
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
    `-reg_lambda ${lambda} with --compat code: the published script does not pass -tau_per_neuron on, so that λ would take the variance ` +
      'of the one τ of a layer, which is no number; its loss is NaN from the first batch on.',
    { fix: 'Leave out -reg_lambda, or take another side: --compat intent or --compat runs.' },
  );
}

function describeSize(
  dataset: OriginalDataset,
  { values }: ParsedArguments,
): Pick<ModelFile['network'], 'architecture' | 'steps' | 'channels' | 'layers' | 'hidden'> {
  if (dataset.kind !== 'still') {
    // Of event data both were asked for; the parser sees to it.
    return { channels: values.channels ?? 1, layers: values.number_layer ?? 1 };
  }
  const { architecture, channels, hidden } = dataset;
  return { architecture, steps: values.T, channels, hidden };
}

function describeTitle(values: OriginalArguments, switches: Compat): string {
  const { dataset_name, use_plif, tau_std_dev, reg_lambda, init_tau } = values;
  if (!hasTauPerNeuron(values, switches)) {
    return `${dataset_name}, ${use_plif ? 'one τ a layer' : `τ fixed at ${init_tau}`}`;
  }
  return [
    `${dataset_name}, one τ a neuron`,
    ...(tau_std_dev > 0 ? [`σ ${tau_std_dev}`] : []),
    ...(reg_lambda > 0 ? [`λ ${reg_lambda}`] : []),
  ].join(', ');
}
