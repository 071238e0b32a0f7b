import { beforeAll, describe, expect, it } from 'vitest';
import type { State } from '../../src/formats/tensor.ts';
import { drawDropoutMasks } from '../../src/network/dropout-masks.ts';
import { loadAddon } from '../../src/network/engines/native/addon.ts';
import { createNativeEngine } from '../../src/network/engines/native/engine.ts';
import { initialState } from '../../src/network/initialise.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { tauOfLogit } from '../../src/network/neurons.ts';
import { type NetworkSpec, spikingLayers, type TauSpec } from '../../src/network/spec.ts';
import { TorchRandom } from '../../src/network/torch-random.ts';
import { drawEpochOrders } from '../../src/training/schedule.ts';
import { splitClips } from '../../src/training/training-clips.ts';
import { randomNumbers } from '../support/random.ts';
import { thesisNetwork } from '../support/thesis-network.ts';

/*
 * What the published runs logged of their very first batch, before any step. The network is silent there: every rate is 0, the mean squared
 * error is that of one class of 11, and the class of the highest rate is the first. So the loss only shows the regulariser of
 * the initial time constants, and the accuracy how many clips of class 0 the batch has.
 */
const logged = {
  'lambda-0.1': 0.09780152142047882,
  'lambda-0.01': 0.09159832447767258,
  baseline: 0.09090909361839294,
};
const loggedAccuracy = 0.03125;

interface Start {
  readonly spec: NetworkSpec;
  readonly state: State;
  readonly varianceOfW: number;
  readonly varianceOfTau: number;
  readonly random: TorchRandom;
}

/** Sums of the unbiased variances over the spiking layers of the thesis' network, drawn from the thesis' seed. */
function drawStart(start: NonNullable<TauSpec['start']>): Start {
  const spec = buildNetwork({ ...thesisNetwork, tau: { per: 'neuron', mean: 2, std: 0.1, start } });
  const random = new TorchRandom(2020);
  const state = initialState(spec, random);
  const sum = (of: (w: number) => number) =>
    spikingLayers(spec).reduce((total, { name }) => {
      const w = state.get(`${name}.w`)?.data;
      if (!(w instanceof Float32Array)) throw new Error(`${name} has no w`);
      const values = Float64Array.from(w, of);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      return total + values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1);
    }, 0);
  return { spec, state, varianceOfW: sum((w) => w), varianceOfTau: sum(tauOfLogit), random };
}

let code: Start;
let paper: Start;
beforeAll(() => {
  code = drawStart('code');
  paper = drawStart('paper');
});

describe('the first batch of the published runs', () => {
  const loss = (lambda: number, variance: number) => 1 / 11 + lambda * variance;

  it('has the loss of a silent network, and λ times the variance of w drawn from seed 2020 by the code’s rule', () => {
    expect(logged.baseline).toBeCloseTo(1 / 11, 7);
    expect(loss(0.1, code.varianceOfW)).toBeCloseTo(logged['lambda-0.1'], 7);
    expect(loss(0.01, code.varianceOfW)).toBeCloseTo(logged['lambda-0.01'], 7);
  });

  it('does not have the loss of the paper’s rules: τ = 1 + LogNormal(1, σ), the variance of τ, or both', () => {
    for (const variance of [code.varianceOfTau, paper.varianceOfW, paper.varianceOfTau]) {
      expect(Math.abs(loss(0.1, variance) - logged['lambda-0.1'])).toBeGreaterThan(2e-5);
      expect(Math.abs(loss(0.01, variance) - logged['lambda-0.01'])).toBeGreaterThan(2e-6);
    }
  });

  it('has as many clips of the first class as the order that torch draws next, over 900 clips sorted by class', () => {
    const recording = [0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10];
    const labels = Int32Array.from({ length: 88 * 12 }, (_, row) => recording[row % 12]!);
    const split = splitClips(labels, 11, 0.15);
    const orders = drawEpochOrders(code.random, {
      train: split.train.length,
      validation: split.validation.length,
    });
    const batch = orders.train.subarray(0, 32).map((place) => labels[split.train[place]!]!);
    expect(batch.filter((label) => label === 0).length / 32).toBe(loggedAccuracy);
  });

  const addon = loadAddon();
  it.skipIf(!addon.ok)(
    'has that loss in the native engine at full size',
    async () => {
      if (!addon.ok) throw new Error(addon.reason);
      const session = await createNativeEngine(addon.addon).open(code.spec, code.state);
      const shape = [1, 20, ...thesisNetwork.input] as const;
      const length = shape.reduce((product, size) => product * size, 1);
      const random = randomNumbers(1);
      const data = Uint8Array.from({ length }, () => (random() < 0.05 ? 1 : 0));
      const step = await session.trainStep(
        {
          frames: { shape, data },
          labels: Int32Array.of(0),
          dropoutMasks: drawDropoutMasks(code.spec, 1, { seed: 2020, epoch: 0, batch: 0 }),
        },
        { learningRate: 0.001, regulariseTau: 0.1 },
      );
      session.dispose();
      // To eight decimals; every convolution fires, and the output is silent.
      expect(step.loss).toBeCloseTo(logged['lambda-0.1'], 8);
      expect(step.spikeRates.map((rate) => rate > 0)).toEqual([true, true, true, true, true, false, false]);
    },
    60_000,
  );
});
