import type { NetworkConfig } from '../../src/network/networks.ts';

/** The thesis's baseline network on DVS128 Gesture; tests spread it and shrink it as needed. */
export const thesisNetwork: NetworkConfig = {
  input: [2, 128, 128],
  classes: 11,
  channels: 128,
  layers: 5,
  neuron: 'plif',
  tau: { per: 'layer', mean: 2, std: 0 },
  reset: { kind: 'hard', detach: true },
  surrogate: { kind: 'atan', alpha: 2, learnable: false },
  pooling: 'max',
};
