import { beforeAll, describe, expect, it } from 'vitest';
import { createCpuEngine } from '../../src/engines/tfjs/engine.ts';
import { prepareTraining } from '../../src/original/preparation.ts';
import { initialState } from '../../src/snn/initialise.ts';
import { buildNetwork } from '../../src/snn/networks.ts';
import { countParameters } from '../../src/snn/parameters.ts';
import { type NetworkSpec, spikingLayers } from '../../src/snn/spec.ts';
import type { State, Tensor } from '../../src/snn/tensor.ts';
import { TorchRandom } from '../../src/snn/torch-random.ts';
import { drawDropoutMasks } from '../../src/training/random-streams.ts';
import { documentedCommands } from './documented-commands.ts';

const commands = Object.entries(documentedCommands);

function modelOf(given: readonly string[]) {
  return prepareTraining(given, 'intent', '.').model;
}

describe('the network of the documented command for', () => {
  /** Convolutions, batch norms and linear layers, the same in all four; then one τ for each of 7 layers, or for each neuron. */
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

describe('a training step of the documented command for', () => {
  // One clip of 3 steps instead of 16 clips of 20: a step takes a second on the plain CPU backend. The network has its full size.
  const shape = [1, 3, 2, 128, 128] as const;
  const random = new TorchRandom(1);
  const data = Uint8Array.from({ length: 3 * 2 * 128 * 128 }, () => Math.floor(random.uniform() * 4));
  const label = 3;
  const steps = new Map<string, Awaited<ReturnType<typeof trainOneStep>>>();

  async function trainOneStep(given: readonly string[]) {
    const { network, training } = modelOf(given);
    const spec = buildNetwork({ input: [2, 128, 128], classes: 11, ...network });
    const before = wake(initialState(spec, new TorchRandom(2020)));
    const session = await createCpuEngine('test').open(spec, before);
    const batch = {
      frames: { shape, data },
      labels: Int32Array.of(label),
      dropoutMasks: drawDropoutMasks(spec, 1, { seed: 2020, epoch: 0, batch: 0 }),
    };
    const { loss, rates } = await session.trainStep(batch, training);
    const after = await session.state();
    session.dispose();
    const squares = rates.reduce((sum, rate, i) => sum + (rate - (i === label ? 1 : 0)) ** 2, 0);
    return { before, after, loss, rates, error: squares / 11, variances: sumOfVariances(spec, before) };
  }

  beforeAll(async () => {
    for (const [name, given] of commands) steps.set(name, await trainOneStep(given));
    // A minute on two quiet cores.
  }, 300_000);

  it.each(commands)('%s spikes at its outputs and moves every parameter', (name) => {
    const { before, after, rates } = steps.get(name)!;
    expect(rates.some((rate) => rate > 0)).toBe(true);
    for (const [parameter, { data: old }] of before) {
      if (/running|num_batches/.test(parameter)) continue;
      const now = after.get(parameter)!.data;
      expect(
        now.some((value, i) => value !== old[i]),
        parameter,
      ).toBe(true);
    }
  });

  it.each(commands)('%s is penalised by λ times the variances of w', (name) => {
    const { loss, error, variances } = steps.get(name)!;
    expect(loss).toBeCloseTo(error + lambdas[name]! * variances, 5);
  });

  it('each model differs in its loss, because of τ or λ', () => {
    const [baseline, noReg, low, high] = ['baseline', 'no-reg', 'lambda-0.01', 'lambda-0.1'].map(
      (name) => steps.get(name)!,
    );
    // With different τ, neurons spike at different times.
    expect([...baseline!.rates]).not.toEqual([...noReg!.rates]);
    // λ only affects the loss: the networks and the clip are the same.
    for (const { rates } of [low!, high!]) expect([...rates]).toEqual([...noReg!.rates]);
    expect(noReg!.variances).toBeGreaterThan(0.01);
    expect(low!.loss - noReg!.loss).toBeCloseTo(0.01 * noReg!.variances, 5);
    expect(high!.loss - noReg!.loss).toBeCloseTo(0.1 * noReg!.variances, 5);
  });
});

const lambdas: Readonly<Record<string, number>> = {
  baseline: 0,
  'no-reg': 0,
  'lambda-0.01': 0.01,
  'lambda-0.1': 0.1,
};

/** With initial weights, no spike gets through the linear layers, whatever the clip. Ten times as large, they let some through. */
function wake(state: State): State {
  return new Map(
    [...state].map(([name, tensor]): [string, Tensor] => {
      if (tensor.dtype !== 'F32' || !/^fc\.[25]\.weight$/.test(name)) return [name, tensor];
      return [name, { ...tensor, data: tensor.data.map((value) => 10 * value) }];
    }),
  );
}

function sumOfVariances(spec: NetworkSpec, state: State): number {
  return spikingLayers(spec).reduce((sum, { name }) => {
    const w = Array.from(state.get(`${name}.w`)?.data ?? [], Number);
    const mean = w.reduce((total, value) => total + value, 0) / w.length;
    const squares = w.reduce((total, value) => total + (value - mean) ** 2, 0);
    return w.length === 1 ? sum : sum + squares / (w.length - 1);
  }, 0);
}
