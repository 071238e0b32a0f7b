import { describe, expect, it } from 'vitest';
import { answerSpikes, answerTau } from '../../../src/report/sections/neurons.ts';
import { makeLayerResult, makeModelResult, makeResults, makeRunResult, plain } from '../result-values.ts';

/** A model whose layers end at these τ, after a start at `mean`. */
function ending(title: string, taus: readonly number[], network: { neuron: string; mean: number }) {
  const { metrics } = makeRunResult();
  const layers = taus.map((tau) => ({
    tauOfMean: [2, tau],
    tauMean: [2, tau],
    tauStd: [0, 0],
    tauChange: [],
    spikeRate: [],
  }));
  const run = makeRunResult({
    metrics: { ...metrics, layers },
    network: { neuron: network.neuron, tau: { per: 'layer', mean: network.mean } },
  });
  return makeModelResult({ id: title, title, runs: [run] });
}

const PLIF = { neuron: 'plif', mean: 2 };

describe('the answer under the time constants', () => {
  it('names the largest move, and where the models end in that layer', () => {
    const models = [ending('A', [2.1, 3.5], PLIF), ending('B', [1.8, 2.5], PLIF)];
    expect(plain(answerTau(makeResults({ models })))).toBe(
      'Training moved τ by up to 1.50 time steps, in layer 2 of A: from 2.00 to 3.50. In that layer, τ ends between 2.50 (B) and 3.50 (A).',
    );
  });

  it('does not count a fixed τ as one that ended there', () => {
    const fixed = ending('Fixed', [16, 16], { neuron: 'lif', mean: 16 });
    const models = [ending('A', [2.1, 1.9], PLIF), fixed];
    expect(plain(answerTau(makeResults({ models })))).toBe(
      'Training moved τ by up to 0.10 time steps, in layer 1 of A: from 2.00 to 2.10.',
    );
    expect(plain(answerTau(makeResults({ models: [fixed] })))).toBe(
      'No model learns its time constants: they stay at 16 steps.',
    );
  });
});

it('the answer under the spikes names the extreme layers over the models, and the extreme models over all neurons', () => {
  const spiking = (title: string, activationSparsity: number, ...rates: number[]) => {
    const layers = rates.map((spikeRate) => ({ ...makeLayerResult(), spikeRate }));
    const cost = {
      footprintBytes: 1,
      activationSparsity,
      denseOperations: 1,
      effectiveMacs: 1,
      effectiveAcs: 1,
    };
    return makeModelResult({ id: title, title, runs: [makeRunResult({ layers, cost })] });
  };
  // A mean over the layers would have B spike least: its small second layer would count as much as its first.
  const models = [spiking('A', 0.98, 0.01, 0.3), spiking('B', 0.97, 0.03, 0.1)];
  expect(plain(answerSpikes(makeResults({ models })))).toBe(
    'On the test clips, layer 2 spikes most, in 20.0 % of neurons and steps, on average over the models, and layer 1 least, in 2.0 %. Over the neurons of all layers, A spikes least (2.0 %), B most (3.0 %).',
  );
  expect(plain(answerSpikes(makeResults({ models: models.slice(0, 1) })))).toBe(
    'On the test clips, layer 2 spikes most, in 30.0 % of neurons and steps, and layer 1 least, in 1.0 %.',
  );
});
