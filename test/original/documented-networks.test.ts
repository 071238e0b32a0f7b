import { describe, expect, it } from 'vitest';
import { prepareTraining } from '../../src/original/preparation.ts';
import { buildNetwork } from '../../src/snn/networks.ts';
import { countParameters } from '../../src/snn/parameters.ts';
import { spikingLayers } from '../../src/snn/spec.ts';
import { documentedCommands } from './documented-commands.ts';

describe('the network of the documented command for', () => {
  /** Convolutions, batch norms and linear layers, the same in all four; then one τ for each of 7 layers, or for each neuron. */
  const weights = 128 * 2 * 9 + 4 * 128 * 128 * 9 + 5 * 2 * 128 + 2048 * 512 + 512 * 110;
  const neurons = 128 * (128 ** 2 + 64 ** 2 + 32 ** 2 + 16 ** 2 + 8 ** 2) + 512 + 110;

  it.each(Object.entries(documentedCommands))('%s has the size of the published one', (name, given) => {
    const { network } = prepareTraining(given, 'intent', '.').model;
    const spec = buildNetwork({ input: [2, 128, 128], classes: 11, ...network });
    const layers = spikingLayers(spec);
    expect(layers).toHaveLength(7);
    expect(countParameters(spec)).toBe(weights + (name === 'baseline' ? 7 : neurons));
    for (const { neuron } of layers) {
      expect(neuron).toEqual({
        kind: 'plif',
        tau: name === 'baseline' ? { per: 'layer', mean: 2, std: 0 } : { per: 'neuron', mean: 2, std: 0.1 },
        threshold: 1,
        reset: { kind: 'hard', potential: 0, detach: true },
        surrogate: { kind: 'atan', alpha: 2, learnable: false },
      });
    }
    expect(spec.layers.flatMap((layer) => (layer.kind === 'dropout' ? [layer.probability] : []))).toEqual([
      0.5, 0.5,
    ]);
  });
});
