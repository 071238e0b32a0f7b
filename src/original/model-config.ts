import type { Compat } from '../training/compat.ts';
import type { ParsedArguments } from './arguments.ts';
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
    readonly cosinePeriod: number;
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

/** The sections of configuration files that mean what the original's arguments mean. */
export function describeConfiguration(parsed: ParsedArguments, compat: Compat): Configuration {
  const { values } = parsed;
  const dataset = originalDatasets[values.dataset_name];
  const { switches, notes } = settleSwitches(parsed, compat);
  const changed = pickChangedSwitches(switches);
  const neuron = values.use_plif ? 'plif' : 'lif';
  const model: ModelFile = {
    title: describeTitle(parsed),
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
      cosinePeriod: values.T_max,
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

/** Leaves switches alone that the arguments speak against: what was given goes over what the published runs show. */
function settleSwitches(
  { values, given }: ParsedArguments,
  compat: Compat,
): { readonly switches: Compat; readonly notes: readonly string[] } {
  const notes: string[] = [];
  let switches = compat;
  if (compat.batch_size === 'logged' && given.has('batch_size')) {
    switches = { ...switches, batch_size: 'documented' };
    notes.push(
      `-batch_size ${values.batch_size} is given, so it holds, and not the 32 of the published logs.`,
    );
  }
  if (compat.trials === 'first-88' && values.dataset_name !== 'DVS128Gesture') {
    switches = { ...switches, trials: 'all' };
    notes.push('Only of DVS128Gesture are the first 88 recordings taken: all clips take part.');
  }
  const isShared = values.use_plif && (!values.tau_per_neuron || compat.tau_per_neuron === 'dropped');
  if (isShared && values.init_tau !== 2) {
    notes.push(
      compat.base_tau === 'configured'
        ? `-init_tau ${values.init_tau} holds; the original starts a τ that a layer shares at 2 whatever this says (--compat code).`
        : `-init_tau ${values.init_tau} is not used: as in the original, a τ that a layer shares starts at 2.`,
    );
  }
  return { switches, notes };
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

function describeTitle({ values }: ParsedArguments): string {
  const { dataset_name, use_plif, tau_per_neuron, tau_std_dev, reg_lambda, init_tau } = values;
  const tau = tau_per_neuron ? 'one τ a neuron' : use_plif ? 'one τ a layer' : `τ fixed at ${init_tau}`;
  return [
    dataset_name,
    tau,
    ...(tau_std_dev > 0 ? [`σ ${tau_std_dev}`] : []),
    ...(reg_lambda > 0 ? [`λ ${reg_lambda}`] : []),
  ].join(', ');
}
