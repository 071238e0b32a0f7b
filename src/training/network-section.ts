import { architectures, type NetworkConfig } from '../snn/network-config.ts';
import { type Section, SectionReader } from './section-reader.ts';
import type { SettingOrigins } from './setting-origins.ts';

/** The part of a network that a model's file describes; the data set adds the rest. */
export type NetworkSection = Omit<NetworkConfig, 'input' | 'classes'>;

/**
 * Reads `network:` of a model, the profile's overrides in it.
 *
 * @throws {ReproError} `model-invalid` naming the key and who said it
 */
export function readNetwork(section: Section, origins: SettingOrigins): NetworkSection {
  const network = new SectionReader(origins, section, 'network.');
  const tau = new SectionReader(origins, network.section('tau'), 'network.tau.');
  const reset = new SectionReader(origins, network.section('reset'), 'network.reset.');
  const surrogate = new SectionReader(origins, network.section('surrogate'), 'network.surrogate.');
  const optional = <K extends string>(key: K, read: (key: K) => number): { [P in K]?: number } =>
    network.has(key) ? ({ [key]: read(key) } as { [P in K]?: number }) : {};
  return {
    ...readSize(network),
    channels: network.count('channels'),
    neuron: network.choice('neuron', ['plif', 'lif']),
    tau: {
      per: tau.choice('per', ['layer', 'neuron']),
      mean: tau.number('mean', (value) => value > 1, 'a number of time steps above 1'),
      std: tau.number('std', (value) => value >= 0, 'a number of at least 0'),
    },
    reset: {
      kind: reset.choice('kind', ['hard', 'soft']),
      detach: reset.flag('detach'),
      ...(reset.has('potential')
        ? { potential: reset.number('potential', Number.isFinite, 'a number') }
        : {}),
    },
    surrogate: {
      kind: surrogate.choice('kind', ['atan', 'sigmoid', 'triangle']),
      alpha: surrogate.number('alpha', (value) => value > 0, 'a number above 0'),
      learnable: surrogate.flag('learnable'),
    },
    pooling: network.choice('pooling', ['max', 'average']),
    ...optional('threshold', (key) => network.number(key, (value) => value > 0, 'a number above 0')),
    ...optional('hidden', (key) => network.count(key)),
    ...optional('votes', (key) => network.count(key)),
    ...optional('dropout', (key) => network.number(key, (v) => v >= 0 && v < 1, 'a probability below 1')),
  };
}

/** Blocks are counted for event frames only, and steps for still images only: events have the T of their frames. */
function readSize(network: SectionReader): Pick<NetworkSection, 'architecture' | 'layers' | 'steps'> {
  const architecture = network.choice('architecture', architectures, 'event-frames');
  if (architecture === 'event-frames') {
    network.absent('steps', 'nothing: event frames have as many steps as `frames.steps` of the profile');
    return { layers: network.count('layers') };
  }
  network.absent('layers', `nothing: ${architecture} has the layers of the original`);
  return { architecture, steps: network.count('steps') };
}
