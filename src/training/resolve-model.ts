import { COMPAT_DEFAULTS, type Compat } from '../thesis/compat.ts';
import { applyCompat } from './apply-compat.ts';
import type { DeepPartial, ModelFile, ModelOverrides, NetworkSection, ResolvedModel } from './model-file.ts';
import { SettingOrigins } from './setting-origins.ts';

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
  const origins = new SettingOrigins(file, overrides, placeOf);
  const merged = mergeNetwork(model.network, overrides.network ?? {});
  const { network, warnings: ofTau } = settleTau(merged, origins);
  const train = { ...model.train, ...overrides };
  const asked = { ...model.compat, ...overrides.compat };
  const switched = applyCompat(
    {
      network,
      training: {
        epochs: train.epochs,
        batchSize: train.batchSize,
        learningRate: train.learningRate,
        cosineHalfPeriod: train.cosineHalfPeriod,
        validationShare: train.validationShare,
        testEvery: train.testEvery ?? 1,
        regulariseTau: model.loss.regulariseTau,
      },
    },
    { ...COMPAT_DEFAULTS, ...asked },
    { origins, batchSizeIsSet: overrides.batchSize !== undefined },
  );
  const { neuron, tau } = switched.network;
  const warnings = [...switched.warnings, ...ofTau];
  let { training } = switched;
  if (training.regulariseTau > 0 && !(neuron === 'plif' && tau.per === 'neuron')) {
    const lambda = String(training.regulariseTau);
    warnings.push(origins.warnOfNoEffect('loss.regulariseTau', lambda, 'no neuron learns its own τ'));
    training = { ...training, regulariseTau: 0 };
  }
  let compat: Compat = switched.compat;
  if (training.validationShare === 0 && compat.selection === 'validation') {
    if (asked.selection !== undefined) {
      throw origins.refuse(
        'compat-impossible',
        'compat.selection',
        'validation chooses an epoch on the validation clips, and `train.validationShare: 0` holds none back.',
        'Remove the switch, to keep the last epoch, use `best-test`, or hold clips back (`train.validationShare: 0.15`).',
      );
    }
    // Without clips to choose on, the last epoch is kept.
    compat = { ...compat, selection: 'last' };
  }
  return { title: model.title, network: switched.network, training, compat, warnings };
}

/** The keys are in a fixed order, which does not depend on the file's: run.json shows them. */
function mergeNetwork(base: NetworkSection, over: DeepPartial<NetworkSection>): NetworkSection {
  const all = { ...base, ...over };
  const { per, mean, std } = { ...base.tau, ...over.tau };
  const { kind, detach, potential } = { ...base.reset, ...over.reset };
  const surrogate = { ...base.surrogate, ...over.surrogate };
  return withoutUndefined({
    architecture: all.architecture === 'event-frames' ? undefined : all.architecture,
    layers: all.layers,
    steps: all.steps,
    channels: all.channels,
    neuron: all.neuron,
    tau: { per, mean, std },
    reset: withoutUndefined({ kind, detach, potential }),
    surrogate: { kind: surrogate.kind, alpha: surrogate.alpha, learnable: surrogate.learnable },
    pooling: all.pooling,
    threshold: all.threshold,
    hidden: all.hidden,
    votes: all.votes,
    dropout: all.dropout,
  });
}

function withoutUndefined<T extends object>(all: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as T;
}

/**
 * Replaces settings of τ that have no effect with this network's neurons by those that describe what happens.
 *
 * They are not errors, since a profile may change the neurons of several models at once.
 */
function settleTau(
  network: NetworkSection,
  origins: SettingOrigins,
): { readonly network: NetworkSection; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  let { tau } = network;
  if (network.neuron === 'lif' && tau.per === 'neuron') {
    warnings.push(origins.warnOfNoEffect('network.tau.per', 'neuron', 'LIF neurons share a fixed τ'));
    tau = { ...tau, per: 'layer' };
  }
  if (tau.per === 'layer' && tau.std > 0) {
    const why = 'only τ per neuron of PLIF neurons are drawn at random';
    warnings.push(origins.warnOfNoEffect('network.tau.std', String(tau.std), why));
    tau = { ...tau, std: 0 };
  }
  return { network: { ...network, tau }, warnings };
}
