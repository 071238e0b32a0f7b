import type { ReproError } from '../errors.ts';
import { COMPAT_DEFAULTS, type Compat } from '../thesis/compat.ts';
import { BATCH_SIZES, LAYER_TAU } from '../thesis/published.ts';
import type { NetworkSection, TrainingSettings } from './model-file.ts';
import type { SettingOrigins } from './setting-origins.ts';

/** The parts of a model that switches change. */
export interface SwitchedModel {
  readonly network: NetworkSection;
  readonly training: TrainingSettings;
  /** The switches in force; one with no effect here is at its default. */
  readonly compat: Compat;
  /** For switches that have no effect here. */
  readonly warnings: readonly string[];
}

/**
 * Applies the switches that change a model's network and training settings. The training loop handles `regularise`, `validation`,
 * `selection`, `loss` and `ties`; `trials` and `file_order` act where the training clips are split.
 *
 * @param batchSizeIsSet whether a profile sets `train.batchSize`, which takes precedence
 * @throws {ReproError} `compat-impossible` for a switch that would make the loss NaN
 */
export function applyCompat(
  model: { readonly network: NetworkSection; readonly training: TrainingSettings },
  compat: Compat,
  { origins, batchSizeIsSet }: { readonly origins: SettingOrigins; readonly batchSizeIsSet: boolean },
): SwitchedModel {
  const warnings: string[] = [];
  let inForce = compat;
  const drop = (key: keyof Compat, why: string): void => {
    warnings.push(origins.warnOfNoEffect(`compat.${key}`, compat[key], why));
    inForce = { ...inForce, [key]: COMPAT_DEFAULTS[key] };
  };
  let { network, training } = model;
  const { regulariseTau } = training;

  if (compat.tau_per_neuron === 'dropped') {
    if (network.neuron === 'lif') drop('tau_per_neuron', 'LIF neurons share a fixed τ anyway');
    else if (network.tau.per === 'layer') drop('tau_per_neuron', 'this model has one τ per layer anyway');
    else if (regulariseTau > 0) throw singleTauError(origins, regulariseTau);
    else network = { ...network, tau: { per: 'layer', mean: network.tau.mean, std: 0 } };
  }
  // From here on, a model whose τ per neuron was dropped has one τ per layer.
  const { neuron, tau } = network;
  const learnsTauPerNeuron = neuron === 'plif' && tau.per === 'neuron';

  if (compat.base_tau === 'always-2') {
    if (neuron !== 'plif' || tau.per === 'neuron')
      drop('base_tau', 'it applies to a learned τ that a layer shares');
    else if (tau.mean === LAYER_TAU) drop('base_tau', `τ starts at ${LAYER_TAU} anyway`);
    else network = { ...network, tau: { ...tau, mean: LAYER_TAU } };
  }
  if (compat.tau_init === 'paper') {
    if (learnsTauPerNeuron && tau.std > 0) network = { ...network, tau: { ...tau, start: 'paper' } };
    else drop('tau_init', 'no τ is drawn at random here');
  }
  if (compat.surrogate === 'sigmoid') {
    if (network.surrogate.kind === 'sigmoid') drop('surrogate', 'the surrogate is a sigmoid anyway');
    else network = { ...network, surrogate: { ...network.surrogate, kind: 'sigmoid' } };
  }
  if (compat.regularise === 'tau' && !(learnsTauPerNeuron && regulariseTau > 0)) {
    drop('regularise', 'there is no regulariser here');
  }
  if (compat.batch_size === 'documented') {
    if (batchSizeIsSet) drop('batch_size', 'the profile sets train.batchSize');
    else if (training.batchSize === BATCH_SIZES.documented) {
      drop('batch_size', `the batch size is ${BATCH_SIZES.documented} anyway`);
    } else training = { ...training, batchSize: BATCH_SIZES.documented };
  }
  return { network, training, compat: inForce, warnings };
}

function singleTauError(origins: SettingOrigins, lambda: number): ReproError {
  return origins.refuse(
    'compat-impossible',
    'compat.tau_per_neuron',
    `dropped leaves one τ per layer, and λ = ${lambda} would take the variance of that single number, which is undefined: ` +
      'with the published script, the loss is NaN from the first batch on.',
    'Remove the regulariser (`loss: { regulariseTau: 0 }` in the model’s file) or the switch (`passed`).',
  );
}
