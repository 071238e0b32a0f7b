import { ReproError } from '../errors.ts';
import { COMPAT_DEFAULTS, type Compat } from '../thesis/compat.ts';
import { BATCH_SIZES, LAYER_TAU } from '../thesis/published.ts';
import type {
  DeepPartial,
  ModelFile,
  ModelOverrides,
  NetworkSection,
  ResolvedModel,
  TrainingSettings,
} from './model-file.ts';

/**
 * Applies a profile's `train:` section to a model: `train.network` overrides the model's `network`, `train.compat` its `compat`, the
 * rest its `train`. Nested sections are merged key by key. Then applies the switches. The schemas have checked model and profile;
 * `buildNetwork` checks what they give together.
 *
 * @param file the model's file, for messages
 * @param placeOf where a profile key such as `train.network.layers` was set; by default, messages say "the profile or --set"
 * @throws {ReproError} `compat-impossible` for an impossible switch, naming where it was set
 */
export function resolveModel(
  model: ModelFile,
  overrides: ModelOverrides,
  file: string,
  placeOf?: (key: string) => string,
): ResolvedModel {
  const train = { ...model.train, ...overrides };
  const asked = { ...model.compat, ...overrides.compat };
  const draft = new Draft(new SettingOrigins(file, overrides, placeOf), {
    network: mergeNetwork(model.network, overrides.network ?? {}),
    training: {
      epochs: train.epochs,
      batchSize: train.batchSize,
      learningRate: train.learningRate,
      cosineHalfPeriod: train.cosineHalfPeriod,
      validationShare: train.validationShare,
      testEvery: train.testEvery ?? 1,
      regulariseTau: model.loss.regulariseTau,
    },
    compat: { ...COMPAT_DEFAULTS, ...asked },
  });
  settleTau(draft);
  applySwitches(draft, overrides.batchSize !== undefined);
  settleSelection(draft, asked.selection !== undefined);
  const { network, training, compat, warnings } = draft;
  return { title: model.title, network, training, compat, warnings };
}

/** A model while settings without effect are replaced by those that describe what happens. */
class Draft {
  readonly origins: SettingOrigins;
  network: NetworkSection;
  training: TrainingSettings;
  /** The switches in force; one with no effect here is at its default. */
  compat: Compat;
  readonly warnings: string[] = [];

  constructor(origins: SettingOrigins, model: Pick<ResolvedModel, 'network' | 'training' | 'compat'>) {
    this.origins = origins;
    this.network = model.network;
    this.training = model.training;
    this.compat = model.compat;
  }

  get learnsTauPerNeuron(): boolean {
    return this.network.neuron === 'plif' && this.network.tau.per === 'neuron';
  }

  setTau(changes: Partial<NetworkSection['tau']>): void {
    this.network = { ...this.network, tau: { ...this.network.tau, ...changes } };
  }

  warn(key: string, value: string | number, why: string): void {
    this.warnings.push(this.origins.warnOfNoEffect(key, String(value), why));
  }

  /** Takes a switch that has no effect out of force. */
  drop(key: keyof Compat, why: string): void {
    this.warn(`compat.${key}`, this.compat[key], why);
    this.compat = { ...this.compat, [key]: COMPAT_DEFAULTS[key] };
  }
}

/** The keys are in a fixed order, which does not depend on the file's: run.json shows them. */
function mergeNetwork(base: NetworkSection, over: DeepPartial<NetworkSection>): NetworkSection {
  const all = { ...base, ...over };
  const { per, mean, std } = { ...base.tau, ...over.tau };
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
    tau: { per, mean, std },
    reset: { kind, detach, ...(potential === undefined ? {} : { potential }) },
    surrogate: { kind: surrogate.kind, alpha: surrogate.alpha, learnable: surrogate.learnable },
    pooling: all.pooling,
    ...(all.threshold === undefined ? {} : { threshold: all.threshold }),
    ...(all.hidden === undefined ? {} : { hidden: all.hidden }),
    ...(all.votes === undefined ? {} : { votes: all.votes }),
    ...(all.dropout === undefined ? {} : { dropout: all.dropout }),
  };
}

/** Settings of τ without effect are no errors, since a profile may change the neurons of several models at once. */
function settleTau(draft: Draft): void {
  const { neuron, tau } = draft.network;
  if (neuron === 'lif' && tau.per === 'neuron') {
    draft.warn('network.tau.per', 'neuron', 'LIF neurons share a fixed τ');
    draft.setTau({ per: 'layer' });
  }
  if (draft.network.tau.per === 'layer' && tau.std > 0) {
    draft.warn('network.tau.std', tau.std, 'only τ per neuron of PLIF neurons are drawn at random');
    draft.setTau({ std: 0 });
  }
}

/**
 * Applies the switches that change a model's network and training settings. The training loop handles `regularise`, `validation`,
 * `selection`, `loss` and `ties`; `trials` and `file_order` act where the training clips are split.
 *
 * @param batchSizeIsSet whether a profile sets `train.batchSize`, which takes precedence
 * @throws {ReproError} `compat-impossible` for a switch that would make the loss NaN
 */
function applySwitches(draft: Draft, batchSizeIsSet: boolean): void {
  const { compat, origins, training } = draft;
  const { batchSize, regulariseTau: lambda } = training;
  const { neuron, surrogate } = draft.network;
  if (compat.tau_per_neuron === 'dropped') {
    if (neuron === 'lif') draft.drop('tau_per_neuron', 'LIF neurons share a fixed τ anyway');
    else if (!draft.learnsTauPerNeuron) draft.drop('tau_per_neuron', 'this model has one τ per layer anyway');
    else if (lambda > 0) {
      throw origins.refuse(
        'compat-impossible',
        'compat.tau_per_neuron',
        `dropped leaves one τ per layer, and λ = ${lambda} would take the variance of that single number, which is undefined: ` +
          'with the published script, the loss is NaN from the first batch on.',
        'Remove the regulariser (`loss: { regulariseTau: 0 }` in the model’s file) or the switch (`passed`).',
      );
    } else draft.setTau({ per: 'layer', std: 0 });
  }
  // From here on, a model whose τ per neuron was dropped has one τ per layer.
  const { tau } = draft.network;
  if (compat.base_tau === 'always-2') {
    if (neuron !== 'plif' || tau.per === 'neuron')
      draft.drop('base_tau', 'it applies to a learned τ that a layer shares');
    else if (tau.mean === LAYER_TAU) draft.drop('base_tau', `τ starts at ${LAYER_TAU} anyway`);
    else draft.setTau({ mean: LAYER_TAU });
  }
  if (compat.tau_init === 'paper') {
    if (draft.learnsTauPerNeuron && tau.std > 0) draft.setTau({ start: 'paper' });
    else draft.drop('tau_init', 'no τ is drawn at random here');
  }
  if (compat.surrogate === 'sigmoid') {
    if (surrogate.kind === 'sigmoid') draft.drop('surrogate', 'the surrogate is a sigmoid anyway');
    else draft.network = { ...draft.network, surrogate: { ...surrogate, kind: 'sigmoid' } };
  }
  if (compat.regularise === 'tau' && !(draft.learnsTauPerNeuron && lambda > 0))
    draft.drop('regularise', 'there is no regulariser here');
  if (compat.batch_size === 'documented') {
    const { documented } = BATCH_SIZES;
    if (batchSizeIsSet) draft.drop('batch_size', 'the profile sets train.batchSize');
    else if (batchSize === documented) draft.drop('batch_size', `the batch size is ${documented} anyway`);
    else draft.training = { ...training, batchSize: documented };
  }
  if (lambda > 0 && !draft.learnsTauPerNeuron) {
    draft.warn('loss.regulariseTau', lambda, 'no neuron learns its own τ');
    draft.training = { ...draft.training, regulariseTau: 0 };
  }
}

/** Without clips to choose on, the last epoch is kept. */
function settleSelection(draft: Draft, isAsked: boolean): void {
  if (draft.training.validationShare > 0 || draft.compat.selection !== 'validation') return;
  if (isAsked) {
    throw draft.origins.refuse(
      'compat-impossible',
      'compat.selection',
      'validation chooses an epoch on the validation clips, and `train.validationShare: 0` holds none back.',
      'Remove the switch, to keep the last epoch, use `best-test`, or hold clips back (`train.validationShare: 0.15`).',
    );
  }
  draft.compat = { ...draft.compat, selection: 'last' };
}

/**
 * Where a model's setting came from: its own file, or the profile (or `--set`) that overrides it. A message that names the wrong one would
 * send people to a file with nothing to fix.
 */
export class SettingOrigins {
  readonly #file: string;
  readonly #overrides: unknown;
  readonly #placeOf: (key: string) => string;

  /**
   * @param file name of the model's file for messages
   * @param overrides the profile's `train:` section
   * @param placeOf where a profile key such as `train.network.layers` was set; a stage cannot tell a file from `--set`
   */
  constructor(
    file: string,
    overrides: unknown = {},
    placeOf: (key: string) => string = () => 'the profile or --set',
  ) {
    this.#file = file;
    this.#overrides = overrides;
    this.#placeOf = placeOf;
  }

  /**
   * An error about a setting.
   *
   * @param key as in the model's file, such as `network.layers`
   * @param problem what follows the key: `expected …, found …`
   */
  refuse(code: string, key: string, problem: string, fix: string): ReproError {
    const over = this.#overridingKey(key);
    return over === undefined
      ? new ReproError(code, `"${key}": ${problem}`, { where: this.#file, fix })
      : new ReproError(code, `"${over}" over ${this.#file}: ${problem}`, {
          where: this.#placeOf(over),
          fix: `${fix}\nA profile’s \`train:\` overrides all of its models: change it there, or remove this one from \`models:\`.`,
        });
  }

  /** A warning about a setting with no effect: `configs/models/m.yaml: compat.base_tau: always-2 has no effect: …`. */
  warnOfNoEffect(key: string, value: string, why: string): string {
    const over = this.#overridingKey(key);
    return over === undefined
      ? `${this.#file}: ${key}: ${value} has no effect: ${why}.`
      : `${this.#placeOf(over)}: ${over}: ${value} has no effect on ${this.#file}: ${why}.`;
  }

  /** The profile's key that overrides a key of the model's file; undefined if the profile does not set it. */
  #overridingKey(key: string): string | undefined {
    const over = /^(?:network|compat)(?:\.|$)/.test(key) ? `train.${key}` : key;
    const [section, ...path] = over.split('.');
    if (section !== 'train' || path.length === 0) return undefined;
    let value: unknown = this.#overrides;
    for (const step of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
      value = Reflect.get(value, step);
    }
    return value === undefined ? undefined : over;
  }
}
