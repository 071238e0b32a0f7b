import { describe, expect, it } from 'vitest';
import { createCpuEngine } from '../../src/engines/tfjs/engine.ts';
import { prepareTraining } from '../../src/original/preparation.ts';
import { initialState } from '../../src/snn/initialise.ts';
import { buildNetwork } from '../../src/snn/networks.ts';
import { countParameters } from '../../src/snn/parameters.ts';
import { type NetworkSpec, spikingLayers } from '../../src/snn/spec.ts';
import type { State } from '../../src/snn/tensor.ts';
import { TorchRandom } from '../../src/snn/torch-random.ts';
import { drawDropoutMasks } from '../../src/training/dropout.ts';
import { documentedCommands } from './documented-commands.ts';

const commands = Object.entries(documentedCommands);

function modelOf(given: readonly string[]) {
  return prepareTraining(given, 'intent', '.').model;
}

describe('the network of the documented command of', () => {
  /** Convolutions, batch norms and linear layers, the same in all; then τ: one in each of 7 layers, or one in each neuron. */
  const weights = 128 * 2 * 9 + 4 * 128 * 128 * 9 + 5 * 2 * 128 + 2048 * 512 + 512 * 110;
  const neurons = 128 * (128 ** 2 + 64 ** 2 + 32 ** 2 + 16 ** 2 + 8 ** 2) + 512 + 110;

  it.each(commands)('%s has the size of the published one', (name, given) => {
    const spec = buildNetwork({ input: [2, 128, 128], classes: 11, ...modelOf(given).network });
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

describe('a training step of the documented command of', () => {
  // One clip of 1 step instead of 16 of 20: those take 16 s a clip on the plain CPU backend. The network is the whole one.
  const shape = [1, 1, 2, 128, 128] as const;
  const random = new TorchRandom(1);
  const data = Uint8Array.from({ length: 2 * 128 * 128 }, () => (random.uniform() < 0.1 ? 1 : 0));

  it.each(commands)('%s learns, and is penalised by λ times the variances of w', async (name, given) => {
    const { network, training } = modelOf(given);
    const spec = buildNetwork({ input: [2, 128, 128], classes: 11, ...network });
    const before = initialState(spec, new TorchRandom(2020));
    const session = await createCpuEngine('test').open(spec, before);
    const { regulariseTau, learningRate } = training;
    const { loss, rates } = await session.trainStep(
      {
        frames: { shape, data },
        labels: Int32Array.of(3),
        dropoutMasks: drawDropoutMasks(spec, 1, { seed: 2020, epoch: 0, batch: 0 }),
      },
      { learningRate, regulariseTau },
    );
    const after = await session.state();
    session.dispose();

    const lambda = { baseline: 0, 'no-reg': 0, 'lambda-0.01': 0.01, 'lambda-0.1': 0.1 }[name]!;
    const squares = rates.reduce((sum, rate, label) => sum + (rate - (label === 3 ? 1 : 0)) ** 2, 0);
    expect(loss).toBeCloseTo(squares / 11 + lambda * sumOfVariances(spec, before), 5);
    // In one step no spike has come as far as the linear layers, whose weights therefore wait.
    for (const learned of ['conv.0.weight', 'conv.2.w']) {
      const [old, now] = [before.get(learned)!.data, after.get(learned)!.data];
      expect(
        now.some((value, i) => value !== old[i]),
        learned,
      ).toBe(true);
    }
  });
});

function sumOfVariances(spec: NetworkSpec, state: State): number {
  return spikingLayers(spec).reduce((sum, { name }) => {
    const w = Array.from(state.get(`${name}.w`)?.data ?? [], Number);
    const mean = w.reduce((total, value) => total + value, 0) / w.length;
    const squares = w.reduce((total, value) => total + (value - mean) ** 2, 0);
    return w.length === 1 ? sum : sum + squares / (w.length - 1);
  }, 0);
}
