import { choice, count, flag, number, optional, orElse, type Read, type Value } from '../results/shape.ts';
import { architectures, type NetworkConfig } from '../snn/network-config.ts';
import { buildNetwork } from '../snn/networks.ts';
import type { NetworkSpec, NeuronSpec } from '../snn/spec.ts';
import { remark } from './given-case.ts';

/** The keys in index.json for a network's size. */
export const sizeShape = {
  architecture: orElse(choice(architectures), 'event-frames'),
  cin: count,
  hw: count,
  ch: count,
  layers: optional(count),
  hidden: optional(count),
  dropout: optional(number),
  classes: count,
  T: count,
  /** As T; only for still images. */
  steps: remark,
};

/** The potential of a hard reset; null for a soft one. */
export const resetPotential: Read<number | null> = (fields, name) =>
  fields.keys().includes(name) && !fields.has(name) ? null : fields.number(name);

export const surrogateKind = choice(['atan', 'sigmoid', 'triangle']);

/**
 * The keys of a whole network. The defaults are those of the thesis: PLIF neurons, τ = 2 (initially, or fixed for LIF), a hard and detached
 * reset to 0, a threshold of 1, arctan with a fixed slope of 2.
 */
export const networkShape = {
  ...sizeShape,
  plif: orElse(flag, true),
  per_neuron: flag,
  per_channel: orElse(flag, false),
  tau: orElse(number, 2),
  detach: orElse(flag, true),
  v_reset: ((fields, name) =>
    fields.keys().includes(name) ? resetPotential(fields, name) : 0) as typeof resetPotential,
  v_threshold: orElse(number, 1),
  surrogate: orElse(surrogateKind, 'atan'),
  alpha: orElse(number, 2),
  learn_alpha: orElse(flag, false),
  max_pool: flag,
};

/** A network's configuration, except for its neurons and pooling. */
export type NetworkSize = Omit<NetworkConfig, 'neuron' | 'tau' | 'reset' | 'surrogate' | 'pooling'>;

/** The number of neurons that vote for a class in all of the original's networks. */
export const votes = 10;

/**
 * Builds the network that a description means.
 *
 * @param hidden the width of the hidden linear layer if the description has none
 * @throws {ReproError} or {ShapeError} if a number is out of range
 */
export function buildDescribed(
  description: Value<typeof networkShape>,
  hidden: number | undefined,
): NetworkSpec {
  const {
    plif,
    per_neuron,
    per_channel,
    tau,
    v_reset,
    detach,
    v_threshold,
    surrogate,
    alpha,
    learn_alpha,
    max_pool,
  } = description;
  return buildNetwork({
    ...networkSizeOf(description, hidden),
    neuron: plif ? 'plif' : 'lif',
    tau: { per: per_channel ? 'channel' : per_neuron ? 'neuron' : 'layer', mean: tau, std: 0 },
    threshold: v_threshold,
    reset: resetOf(v_reset, detach),
    surrogate: { kind: surrogate, alpha, learnable: learn_alpha },
    pooling: max_pool ? 'max' : 'average',
  });
}

export function resetOf(potential: number | null, detach: boolean): NeuronSpec['reset'] {
  return potential === null ? { kind: 'soft', detach } : { kind: 'hard', potential, detach };
}

/** @param hidden the width of the hidden linear layer if the description has none */
export function networkSizeOf(
  { architecture, cin, hw, ch, layers, classes, T, ...description }: Value<typeof sizeShape>,
  hidden?: number,
): NetworkSize {
  const width = description.hidden ?? hidden;
  const { dropout } = description;
  return {
    architecture,
    input: [cin, hw, hw],
    classes,
    channels: ch,
    ...(layers === undefined ? {} : { layers }),
    // Event frames have their own T.
    ...(architecture === 'event-frames' ? {} : { steps: T }),
    ...(width === undefined ? {} : { hidden: width }),
    ...(dropout === undefined ? {} : { dropout }),
    votes,
  };
}
