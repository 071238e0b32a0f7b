import type { Fields } from '../formats/fields.ts';
import { type Architecture, architectures, type NetworkConfig } from '../snn/network-config.ts';
import { buildNetwork } from '../snn/networks.ts';
import type { NetworkSpec } from '../snn/spec.ts';

/** The keys in index.json for a network's size. */
export const sizeKeys = [
  'architecture',
  'cin',
  'hw',
  'ch',
  'layers',
  'hidden',
  'classes',
  'T',
  'steps',
] as const;

/** The keys for its neurons and pooling. */
const neuronKeys = [
  'plif',
  'per_neuron',
  'tau',
  'detach',
  'v_reset',
  'v_threshold',
  'surrogate',
  'alpha',
  'learn_alpha',
  'max_pool',
] as const;

export const networkKeys = [...sizeKeys, ...neuronKeys];

/** A network's configuration, except for its neurons and pooling. */
export type NetworkSize = Omit<NetworkConfig, 'neuron' | 'tau' | 'reset' | 'surrogate' | 'pooling'>;

/** The number of neurons that vote for a class in all of the original's networks. */
export const votes = 10;

/**
 * Builds the network that a description means. The defaults are those of the thesis: PLIF neurons, τ = 2 (initially, or fixed for LIF), a
 * hard and detached reset to 0, a threshold of 1, arctan with a fixed slope of 2.
 *
 * @param hidden the width of the hidden linear layer if the description has none
 * @throws {ReproError} or {ShapeError} if a key is missing or a number is out of range
 */
export function readNetwork(fields: Fields, hidden: number | undefined): NetworkSpec {
  const flag = (name: string, standard: boolean) => (fields.has(name) ? fields.flag(name) : standard);
  const number = (name: string, standard: number) => (fields.has(name) ? fields.number(name) : standard);
  const soft = fields.keys().includes('v_reset') && !fields.has('v_reset');
  return buildNetwork({
    ...readSize(fields, hidden),
    neuron: flag('plif', true) ? 'plif' : 'lif',
    tau: { per: fields.flag('per_neuron') ? 'neuron' : 'layer', mean: number('tau', 2), std: 0 },
    threshold: number('v_threshold', 1),
    reset: {
      detach: flag('detach', true),
      ...(soft ? { kind: 'soft' } : { kind: 'hard', potential: number('v_reset', 0) }),
    },
    surrogate: {
      kind: fields.has('surrogate') ? fields.choice('surrogate', ['atan', 'sigmoid', 'triangle']) : 'atan',
      alpha: number('alpha', 2),
      learnable: flag('learn_alpha', false),
    },
    pooling: fields.flag('max_pool') ? 'max' : 'average',
  });
}

/** Whether a sample is a still image. */
export function isStill(fields: Fields): boolean {
  return readArchitecture(fields) !== 'event-frames';
}

/**
 * @param hidden the width of the hidden linear layer if the description has none
 * @throws {ReproError} if a key is missing, is not an integer or contradicts another
 */
export function readSize(fields: Fields, hidden?: number): NetworkSize {
  const architecture = readArchitecture(fields);
  const width = fields.has('hidden') ? fields.count('hidden') : hidden;
  const side = fields.count('hw');
  const steps = fields.count('T');
  if (fields.has('steps') && fields.count('steps') !== steps) {
    fields.fail('steps', `must equal T, ${steps}; found ${fields.count('steps')}`);
  }
  return {
    architecture,
    input: [fields.count('cin'), side, side],
    classes: fields.count('classes'),
    channels: fields.count('ch'),
    ...(fields.has('layers') ? { layers: fields.count('layers') } : {}),
    // Event frames have their own T.
    ...(architecture === 'event-frames' ? {} : { steps }),
    ...(width === undefined ? {} : { hidden: width }),
    votes,
  };
}

function readArchitecture(fields: Fields): Architecture {
  if (!fields.has('architecture')) return 'event-frames';
  return fields.choice('architecture', architectures);
}
