import type { NetworkConfig } from '../../src/network/networks.ts';
import { thesisNetwork } from './thesis-network.ts';

const { layers: _, ...withoutLayers } = thesisNetwork;

/** The original's networks at their full size; tests spread them and shrink them as needed. */
export const mnistNetwork: NetworkConfig = {
  ...withoutLayers,
  architecture: 'mnist',
  input: [1, 28, 28],
  classes: 10,
  steps: 8,
};

export const cifar10Network: NetworkConfig = {
  ...withoutLayers,
  architecture: 'cifar10',
  input: [3, 32, 32],
  classes: 10,
  channels: 256,
  steps: 8,
};

export const cifar10Dvs: NetworkConfig = {
  ...thesisNetwork,
  architecture: 'event-frames',
  classes: 10,
  layers: 4,
};
