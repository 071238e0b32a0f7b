import * as v from 'valibot';
import { count, number, type Value } from '../files/shape.ts';
import { architectures, type NetworkConfig } from '../snn/network-config.ts';
import { buildNetwork } from '../snn/networks.ts';
import type { NetworkSpec, NeuronSpec } from '../snn/spec.ts';
import { remark } from './given-case.ts';

/** The keys in index.json for a network's size. */
export const sizeShape = v.object({
  architecture: v.optional(v.picklist(architectures), 'event-frames'),
  cin: count,
  hw: count,
  ch: count,
  layers: v.exactOptional(count),
  hidden: v.exactOptional(count),
  dropout: v.exactOptional(number),
  classes: count,
  T: count,
  /** As T; only for still images. */
  steps: remark,
});

/** The potential of a hard reset; null for a soft one. */
export const resetPotential = v.nullable(number);

export const surrogateKind = v.picklist(['atan', 'sigmoid', 'triangle']);

/**
 * The keys of a whole network. The defaults are those of the thesis: PLIF neurons, τ = 2 (initially, or fixed for LIF), a hard and detached
 * reset to 0, a threshold of 1, arctan with a fixed slope of 2.
 */
export const networkShape = v.object({
  ...sizeShape.entries,
  plif: v.optional(v.boolean(), true),
  per_neuron: v.boolean(),
  per_channel: v.optional(v.boolean(), false),
  tau: v.optional(number, 2),
  detach: v.optional(v.boolean(), true),
  v_reset: v.optional(resetPotential, 0),
  v_threshold: v.optional(number, 1),
  surrogate: v.optional(surrogateKind, 'atan'),
  alpha: v.optional(number, 2),
  learn_alpha: v.optional(v.boolean(), false),
  max_pool: v.boolean(),
});

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
