import { architectures, type NetworkConfig } from '../snn/network-config.ts';
import type { Fields } from './fields.ts';

/**
 * Reads a network's configuration from JSON, checking every field: the file may come from anywhere.
 *
 * @throws {ReproError} of the fields' code, naming the field
 */
export function parseNetwork(fields: Fields): NetworkConfig {
  const tau = fields.object('tau');
  const reset = fields.object('reset');
  const surrogate = fields.object('surrogate');
  const count = (key: string): number => fields.number(key, { min: 1, integer: true });
  const start = tau.has('start') ? { start: tau.choice('start', ['code', 'paper']) } : {};
  return {
    ...(fields.has('architecture') ? { architecture: fields.choice('architecture', architectures) } : {}),
    input: parseInput(fields),
    classes: count('classes'),
    channels: count('channels'),
    ...(fields.has('layers') ? { layers: count('layers') } : {}),
    ...(fields.has('steps') ? { steps: count('steps') } : {}),
    neuron: fields.choice('neuron', ['plif', 'lif']),
    tau: {
      per: tau.choice('per', ['layer', 'neuron']),
      mean: tau.number('mean'),
      std: tau.number('std'),
      ...start,
    },
    reset: {
      kind: reset.choice('kind', ['hard', 'soft']),
      detach: reset.flag('detach'),
      ...(reset.has('potential') ? { potential: reset.number('potential') } : {}),
    },
    surrogate: {
      kind: surrogate.choice('kind', ['atan', 'sigmoid', 'triangle']),
      alpha: surrogate.number('alpha'),
      learnable: surrogate.flag('learnable'),
    },
    pooling: fields.choice('pooling', ['max', 'average']),
    ...(fields.has('threshold') ? { threshold: fields.number('threshold') } : {}),
    ...(fields.has('hidden') ? { hidden: count('hidden') } : {}),
    ...(fields.has('votes') ? { votes: count('votes') } : {}),
    ...(fields.has('dropout') ? { dropout: fields.number('dropout') } : {}),
  };
}

function parseInput(fields: Fields): [number, number, number] {
  const [channels, height, width, ...more] = fields.numbers('input', { min: 1, integer: true });
  if (channels === undefined || height === undefined || width === undefined || more.length > 0) {
    fields.fail('input', 'must be [channels, height, width]');
  }
  return [channels, height, width];
}
