import type { ReproError } from '../errors.ts';
import { COMPAT_DEFAULTS, type Compat } from './compat.ts';
import type { NetworkSection } from './network-section.ts';
import type { SettingOrigins } from './setting-origins.ts';
import type { TrainingSettings } from './settings.ts';

/** Clips an optimiser step in every stretch of the published logs: 900 training clips in 28 whole batches. */
export const LOGGED_BATCH_SIZE = 32;

/** Where the published per-layer neurons start: w = 0, which is τ = 2. */
export const PUBLISHED_TAU = 2;

/** A model as far as switches change it. */
export interface SwitchedModel {
  readonly network: NetworkSection;
  readonly training: TrainingSettings;
  /** The switches that are in force: one that changes nothing here is as by default. */
  readonly compat: Compat;
  /** Of switches that change nothing here. */
  readonly warnings: readonly string[];
}

/**
 * Applies the switches that change a model's network and training settings. `regularise`, `validation` and `selection` act in the
 * training loop, `trials` and `file_order` where the training clips are split.
 *
 * @param batchSizeIsSet whether a profile says `train.batchSize`, which goes over everything
 * @throws {ReproError} `compat-impossible` for a switch that leaves a model without a loss
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
    if (network.tau.per === 'layer') drop('tau_per_neuron', 'this model has one τ a layer anyway');
    else if (regulariseTau > 0) throw singleTauError(origins, regulariseTau);
    else network = { ...network, tau: { per: 'layer', mean: network.tau.mean, std: 0 } };
  }
  // From here on as the network then is: a model whose τ per neuron was dropped has one τ a layer.
  const { neuron, tau } = network;
  const learnsTauPerNeuron = neuron === 'plif' && tau.per === 'neuron';

  if (compat.base_tau === 'always-2') {
    if (neuron !== 'plif' || tau.per === 'neuron')
      drop('base_tau', 'it is for learned τ that a layer shares');
    else if (tau.mean === PUBLISHED_TAU) drop('base_tau', `τ starts at ${PUBLISHED_TAU} anyway`);
    else network = { ...network, tau: { ...tau, mean: PUBLISHED_TAU } };
  }
  if (compat.tau_init === 'paper') {
    if (learnsTauPerNeuron && tau.std > 0) network = { ...network, tau: { ...tau, start: 'paper' } };
    else drop('tau_init', 'no τ of a neuron is drawn at random here');
  }
  if (compat.surrogate === 'sigmoid') {
    if (network.surrogate.kind === 'sigmoid') drop('surrogate', 'the surrogate is a sigmoid anyway');
    else network = { ...network, surrogate: { ...network.surrogate, kind: 'sigmoid' } };
  }
  if (compat.regularise === 'tau' && !(learnsTauPerNeuron && regulariseTau > 0)) {
    drop('regularise', 'nothing is regularised here');
  }
  if (compat.batch_size === 'logged') {
    if (batchSizeIsSet) drop('batch_size', 'the profile sets train.batchSize');
    else if (training.batchSize === LOGGED_BATCH_SIZE) {
      drop('batch_size', `batches are of ${LOGGED_BATCH_SIZE} clips anyway`);
    } else training = { ...training, batchSize: LOGGED_BATCH_SIZE };
  }
  return { network, training, compat: inForce, warnings };
}

function singleTauError(origins: SettingOrigins, lambda: number): ReproError {
  return origins.refuse(
    'compat-impossible',
    'compat.tau_per_neuron',
    `dropped leaves one τ a layer, and λ = ${lambda} would take the variance of that single number, which is no number: ` +
      'so the published script’s loss is NaN from the first batch on.',
    'Leave out the regulariser (`loss: { regulariseTau: 0 }` in the model’s file), or the switch (`passed`).',
  );
}
