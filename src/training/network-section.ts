import { architectures, isPossibleTau, type NetworkConfig } from '../snn/network-config.ts';
import { type Section, SectionReader } from './section-reader.ts';
import type { SettingOrigins } from './setting-origins.ts';

/** The part of a network that a model's file describes; the data set adds the rest. */
export type NetworkSection = Omit<NetworkConfig, 'input' | 'classes'>;

/**
 * Reads a model's `network:`, including the profile's overrides.
 *
 * @throws {ReproError} `model-invalid` naming the key and where it was set
 */
export function readNetwork(section: Section, origins: SettingOrigins): NetworkSection {
  const network = new SectionReader(origins, section, 'network.');
  const tau = new SectionReader(origins, network.section('tau'), 'network.tau.');
  const surrogate = new SectionReader(origins, network.section('surrogate'), 'network.surrogate.');
  const neuron = network.choice('neuron', ['plif', 'lif']);
  return {
    ...readSize(network),
    channels: network.count('channels'),
    neuron,
    tau: {
      per: tau.choice('per', ['layer', 'neuron']),
      mean: tau.number(
        'mean',
        (value) => isPossibleTau(neuron, value),
        neuron === 'lif' ? 'a number of time steps of at least 1' : 'a number of time steps above 1',
      ),
      std: tau.number('std', (value) => value >= 0, 'a number of at least 0'),
    },
    reset: readReset(new SectionReader(origins, network.section('reset'), 'network.reset.')),
    surrogate: {
      kind: surrogate.choice('kind', ['atan', 'sigmoid', 'triangle']),
      alpha: surrogate.number('alpha', (value) => value > 0, 'a number above 0'),
      learnable: surrogate.flag('learnable'),
    },
    pooling: network.choice('pooling', ['max', 'average']),
    ...(network.has('threshold')
      ? { threshold: network.number('threshold', (value) => value > 0, 'a number above 0') }
      : {}),
    ...(network.has('hidden') ? { hidden: network.count('hidden') } : {}),
    ...(network.has('votes') ? { votes: network.count('votes') } : {}),
    ...(network.has('dropout')
      ? { dropout: network.number('dropout', (v) => v >= 0 && v < 1, 'a probability below 1') }
      : {}),
  };
}

/** Event frames need a number of blocks, and their T is that of the frames; still images need a number of steps. */
function readSize(network: SectionReader): Pick<NetworkSection, 'architecture' | 'layers' | 'steps'> {
  const architecture = network.choice('architecture', architectures, 'event-frames');
  if (architecture === 'event-frames') {
    network.absent('steps', 'nothing: event frames have as many steps as `frames.steps` in the profile');
    return { layers: network.count('layers') };
  }
  network.absent('layers', `nothing: ${architecture} has the original's layers`);
  return { architecture, steps: network.count('steps') };
}

function readReset(reset: SectionReader): NetworkSection['reset'] {
  const kind = reset.choice('kind', ['hard', 'soft']);
  const detach = reset.flag('detach');
  if (kind === 'soft') reset.absent('potential', 'nothing: a soft reset subtracts the threshold');
  if (!reset.has('potential')) return { kind, detach };
  return { kind, detach, potential: reset.number('potential', Number.isFinite, 'a number') };
}

/**
 * Replaces settings of τ that have no effect with this network's neurons by those that describe what happens.
 *
 * They are not errors, since a profile may change the neurons of several models at once.
 */
export function settleTau(
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
