import { ReproError } from '../base/errors.ts';
import { isObject } from '../base/files/shape.ts';
import type { NetworkConfig } from '../network/network-config.ts';
import type { TrainedOrder } from '../results/run-file.ts';
import { COMPAT_DEFAULTS, type Compat } from '../results/thesis/compat.ts';
import { BATCH_SIZES, LAYER_TAU, type PublishedResult } from '../results/thesis/published.ts';

/**
 * Applies a profile's `train:` section to a model: `train.network` overrides the model's `network`, `train.loss` its `loss`, `train.compat`
 * its `compat`, the rest its `train`. Nested sections are merged key by key. Then applies the switches that change network and training settings: the training
 * loop handles `validation`, `selection`, `loss` and `ties`; `trials` and `file_order` act where the training clips are split. Settings
 * without effect are replaced by those that describe what happens: a profile may change several models at once. The schemas have checked
 * model and profile; `buildNetwork` checks what they give together.
 *
 * @param file for messages
 * @param placeOf where a profile key such as `train.network.layers` was set; by default, messages say "the profile or --set"
 * @throws {ReproError} `compat-impossible` for an impossible switch, naming where it was set
 */
export function resolveModel(
  model: ModelFile,
  overrides: ModelOverrides,
  file: string,
  placeOf?: (key: string) => string,
): ResolvedModel {
  const origins = { file, overrides, placeOf };
  const train = { ...model.train, ...overrides };
  const asked = { ...model.compat, ...overrides.compat };
  const network = mergeNetwork(model.network, overrides.network ?? {});
  const { neuron, tau, surrogate } = network;
  const lambda = overrides.loss?.regulariseTau ?? model.loss.regulariseTau;
  const compat: Compat = {
    ...COMPAT_DEFAULTS,
    ...asked,
    selection: settleSelection(asked.selection, train.validationShare, origins),
  };
  const isRegularised = [lambda].flat().some((one) => one > 0);
  const asksPerNeuron = neuron === 'plif' && tau.per === 'neuron';
  const isDropped = asksPerNeuron && compat.tau_per_neuron === 'dropped';
  if (isDropped && isRegularised) {
    throw refuseSetting(origins, {
      code: 'compat-impossible',
      key: 'compat.tau_per_neuron',
      problem:
        `dropped leaves one τ per layer, and λ = ${String(lambda)} would take the variance of that single number, which is undefined: ` +
        'with the published script, the loss is NaN from the first batch on.',
      fix: 'Remove the regulariser (`loss.regulariseTau: 0` in the model’s file, `train.loss.regulariseTau: 0` in a profile) or the switch (`passed`).',
    });
  }
  const hasOwnTau = neuron === 'plif' && tau.per !== 'layer' && !isDropped;
  const std = hasOwnTau ? tau.std : 0;
  const isIdle: Partial<Record<keyof Compat, boolean>> = {
    tau_per_neuron: !asksPerNeuron,
    base_tau: neuron === 'lif' || hasOwnTau || tau.mean === LAYER_TAU,
    tau_init: std === 0,
    surrogate: surrogate.kind === 'sigmoid',
    regularise: !hasOwnTau || !isRegularised,
    batch_size: overrides.batchSize !== undefined || train.batchSize === BATCH_SIZES.documented,
  };
  const idle = Object.entries(COMPAT_DEFAULTS).filter(([name]) => Reflect.get(isIdle, name) === true);
  const inForce: Compat = { ...compat, ...Object.fromEntries(idle) };
  return {
    title: model.title,
    network: {
      ...network,
      tau: {
        per: hasOwnTau ? tau.per : 'layer',
        mean: inForce.base_tau === 'always-2' ? LAYER_TAU : tau.mean,
        std,
        ...(inForce.tau_init === 'paper' ? { start: 'paper' } : {}),
        ...(hasOwnTau && tau.values !== undefined ? { values: tau.values } : {}),
      },
      surrogate: inForce.surrogate === 'sigmoid' ? { ...surrogate, kind: 'sigmoid' } : surrogate,
    },
    training: {
      epochs: train.epochs,
      batchSize: inForce.batch_size === 'documented' ? BATCH_SIZES.documented : train.batchSize,
      learningRate: train.learningRate,
      ...(neuron === 'lif' || (train.tauRate ?? 1) === 1 ? {} : { tauRate: train.tauRate }),
      ...(train.frameOrder === undefined || train.frameOrder === 'recorded'
        ? {}
        : { frameOrder: train.frameOrder }),
      cosineHalfPeriod: train.cosineHalfPeriod,
      validationShare: train.validationShare,
      testEvery: train.testEvery ?? 1,
      regulariseTau: hasOwnTau ? lambda : 0,
    },
    compat: inForce,
  };
}

/** Without clips to choose on, the last epoch is kept. */
function settleSelection(
  asked: Compat['selection'] | undefined,
  validationShare: number,
  origins: SettingOrigins,
): Compat['selection'] {
  if (validationShare > 0 || (asked ?? 'validation') !== 'validation')
    return asked ?? COMPAT_DEFAULTS.selection;
  if (asked === undefined) return 'last';
  throw refuseSetting(origins, {
    code: 'compat-impossible',
    key: 'compat.selection',
    problem:
      'validation chooses an epoch on the validation clips, and `train.validationShare: 0` holds none back.',
    fix: 'Remove the switch, to keep the last epoch, use `best-test`, or hold clips back (`train.validationShare: 0.15`).',
  });
}

/** The keys are in a fixed order, which does not depend on the file's: run.json shows them. */
function mergeNetwork(base: NetworkSection, over: DeepPartial<NetworkSection>): NetworkSection {
  const all = { ...base, ...over };
  const { per, mean, std, values } = { ...base.tau, ...over.tau };
  const { kind, detach, potential } = { ...base.reset, ...over.reset };
  const surrogate = { ...base.surrogate, ...over.surrogate };
  return {
    ...(all.architecture === undefined || all.architecture === 'event-frames'
      ? {}
      : { architecture: all.architecture }),
    ...(all.layers === undefined ? {} : { layers: all.layers }),
    ...(all.steps === undefined ? {} : { steps: all.steps }),
    channels: all.channels,
    neuron: all.neuron,
    tau: { per, mean, std, ...(values === undefined ? {} : { values }) },
    ...(all.init === undefined || all.init === 'kaiming' ? {} : { init: all.init }),
    reset: { kind, detach, ...(potential === undefined ? {} : { potential }) },
    surrogate: { kind: surrogate.kind, alpha: surrogate.alpha, learnable: surrogate.learnable },
    pooling: all.pooling,
    ...(all.threshold === undefined ? {} : { threshold: all.threshold }),
    ...(all.hidden === undefined ? {} : { hidden: all.hidden }),
    ...(all.recurrent === true ? { recurrent: true } : {}),
    ...(all.votes === undefined ? {} : { votes: all.votes }),
    ...(all.dropout === undefined ? {} : { dropout: all.dropout }),
  };
}

/** What a profile, or the part of it that a training gets, overrides in one model: its `train:` section, with this model's own learning rate. */
export function overridesOf(id: string, { train, learningRates }: ModelSections): ModelOverrides {
  const learningRate = learningRates?.[id];
  return learningRate === undefined ? train : { ...train, learningRate };
}

/** Where a model's settings come from: its own file, or the profile (or `--set`) that overrides it. */
export interface SettingOrigins {
  /** The model's file, for messages. */
  readonly file: string;
  /** The profile's `train:` section. */
  readonly overrides: ModelOverrides;
  /** Where a profile key such as `train.network.layers` was set; a stage cannot tell a file from `--set`. */
  readonly placeOf?: ((key: string) => string) | undefined;
}

/**
 * An error about a setting, which names the file that has something to fix.
 *
 * @param of.key as in the model's file, such as `network.layers`
 * @param of.problem what follows the key: `expected …, found …`
 */
export function refuseSetting(
  { file, overrides, placeOf = () => 'the profile or --set' }: SettingOrigins,
  of: { readonly code: string; readonly key: string; readonly problem: string; readonly fix: string },
): ReproError {
  const { code, key, problem, fix } = of;
  const over = key
    .split('.')
    .reduce((value: unknown, step) => (isObject(value) ? value[step] : undefined), overrides);
  return over === undefined
    ? new ReproError(code, `"${key}": ${problem}`, { where: file, fix })
    : new ReproError(code, `"train.${key}" over ${file}: ${problem}`, {
        where: placeOf(`train.${key}`),
        fix: `${fix}\nA profile’s \`train:\` overrides all of its models: change it there, or remove this one from \`models:\`.`,
      });
}

/** The part of a network that a model's file describes; the data set adds the rest. */
type NetworkSection = Omit<NetworkConfig, 'input' | 'classes'>;

/** The `train:` section. */
interface TrainSection {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** What multiplies the learning rate for w, the logits of 1/τ; default 1. With 0, τ stays as drawn. */
  readonly tauRate?: number;
  /** In training, validation and test; default `recorded`. */
  readonly frameOrder?: 'recorded' | TrainedOrder;
  /** T_max of the cosine annealing, in epochs. */
  readonly cosineHalfPeriod: number;
  /** The share of each class's training clips held back for validation, from 0 (none, and no validation) to 1. */
  readonly validationShare: number;
  /** Run the test clips every so many epochs, and after the last; default 1. */
  readonly testEvery?: number;
}

/** A model's file, `configs/models/<id>.yaml`, that schemas/model.schema.json accepts. */
export interface ModelFile {
  readonly title: string;
  readonly description?: string;
  readonly published?: Partial<PublishedResult>;
  readonly network: NetworkSection;
  readonly loss: { readonly regulariseTau: number | readonly number[] };
  readonly train: TrainSection;
  /** Only the switches that are not at their defaults. */
  readonly compat?: Partial<Compat>;
}

/** A profile's `train:` section that schemas/profile.schema.json accepts: what it overrides in each of its models, and the engine. */
export interface ModelOverrides extends Partial<TrainSection> {
  readonly engine?: string;
  readonly network?: DeepPartial<NetworkSection>;
  readonly loss?: Partial<ModelFile['loss']>;
  readonly compat?: Partial<Compat>;
}

/** The sections of a profile that override settings of models. */
export interface ModelSections {
  readonly train: ModelOverrides;
  /** By model: of this model alone, instead of that of `train`. */
  readonly learningRates?: Readonly<Record<string, number>>;
}

type DeepPartial<T> = { readonly [K in keyof T]?: T[K] extends object ? DeepPartial<T[K]> : T[K] };

/** How a network is trained; epochs count from 0 in files and from 1 in messages. */
export interface TrainingSettings extends Required<Omit<TrainSection, 'tauRate' | 'frameOrder'>> {
  /** Absent if it is 1. */
  readonly tauRate?: number;
  /** Absent if frames are in the order in which they were recorded. */
  readonly frameOrder?: TrainedOrder;
  /** Present if whole people are held back, `dataset.validation` of a profile, and not the last clips of each class. */
  readonly validation?: 'users';
  /** λ of the regulariser Σ λ · Var(w): one for all spiking layers, or a list with one for each. */
  readonly regulariseTau: number | readonly number[];
}

/** A model's file with the profile's overrides and the switches applied. */
export interface ResolvedModel {
  readonly title: string;
  readonly network: NetworkSection;
  readonly training: TrainingSettings;
  /** The switches in force; one with no effect is at its default. Those that change network or training settings have done so. */
  readonly compat: Compat;
}
