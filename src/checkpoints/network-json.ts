import type { Fields } from '../formats/fields.ts';
import { architectures, type NetworkConfig } from '../snn/network-config.ts';

/**
 * Reads a network's configuration from JSON with every field checked, as files that come from elsewhere need it.
 *
 * @throws {ReproError} of the fields' code, naming the field
 */
export function parseNetwork(fields: Fields): NetworkConfig {
  const tau = fields.object('tau');
  const reset = fields.object('reset');
  const surrogate = fields.object('surrogate');
  const optional = <K extends string>(
    key: K,
    from: Fields,
    read: (from: Fields, key: K) => number,
  ): { readonly [P in K]?: number } =>
    from.has(key) ? ({ [key]: read(from, key) } as { [P in K]: number }) : {};
  const count = (from: Fields, key: string): number => from.number(key, { min: 1, integer: true });
  const number = (from: Fields, key: string): number => from.number(key);
  const start = tau.has('start') ? { start: tau.choice('start', ['code', 'paper']) } : {};
  return {
    ...(fields.has('architecture') ? { architecture: fields.choice('architecture', architectures) } : {}),
    input: parseInput(fields),
    classes: count(fields, 'classes'),
    channels: count(fields, 'channels'),
    ...optional('layers', fields, count),
    ...optional('steps', fields, count),
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
      ...optional('potential', reset, number),
    },
    surrogate: {
      kind: surrogate.choice('kind', ['atan', 'sigmoid', 'triangle']),
      alpha: surrogate.number('alpha'),
      learnable: surrogate.flag('learnable'),
    },
    pooling: fields.choice('pooling', ['max', 'average']),
    ...optional('threshold', fields, number),
    ...optional('hidden', fields, count),
    ...optional('votes', fields, count),
    ...optional('dropout', fields, number),
  };
}

function parseInput(fields: Fields): [number, number, number] {
  const [channels, height, width, ...more] = fields.numbers('input', { min: 1, integer: true });
  if (channels === undefined || height === undefined || width === undefined || more.length > 0) {
    fields.fail('input', 'is not [channels, height, width]');
  }
  return [channels, height, width];
}
