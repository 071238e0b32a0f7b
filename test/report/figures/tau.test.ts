import { describe, expect, it } from 'vitest';
import { renderFigure } from '../../../src/report/figures/render.ts';
import { drawTau } from '../../../src/report/figures/tau.ts';
import type { RunResult } from '../../../src/report/results.ts';
import { makeModelResult, makeResults, makeRunResult } from '../result-values.ts';

/** A run of one epoch and one layer. */
function runOf(seed: number, tauMean: number, tauStd: number): RunResult {
  const share = { train: [0.5], validation: [0.5], test: [0.5] };
  const layers = [{ tauMean: [tauMean], tauStd: [tauStd], spikeRate: [0.1] }];
  return makeRunResult({ seed, metrics: { epochs: [1], accuracy: share, loss: share, layers } });
}

const single = (...taus: readonly number[]) =>
  makeModelResult({ runs: taus.map((tau, seed) => runOf(seed, tau, 0)) });
const perNeuron = (...taus: readonly number[]) =>
  makeModelResult({ id: 'no-reg', title: 'No Reg.', runs: taus.map((tau, seed) => runOf(seed, tau, 0.5)) });

const bandsOf = (figure: ReturnType<typeof drawTau>) =>
  [...JSON.stringify(figure.panels[0]?.spec).matchAll(/"low":([\d.]+),"high":([\d.]+)/g)].map(
    ([, low, high]) => [Number(low), Number(high)],
  );
const labelsOf = (figure: ReturnType<typeof drawTau>) =>
  figure.legend.filter(({ mark }) => mark === 'band').map(({ label }) => label.replaceAll('\u00a0', ' '));

describe('the bands of the time constants', () => {
  it('are over the seeds where a layer has a single τ', () => {
    const two = drawTau(makeResults({ seeds: [0, 1], models: [single(2, 2.5)] }));
    expect(bandsOf(two)).toEqual([[2, 2.5]]);
    expect(labelsOf(two)).toEqual(['range over seeds']);
    // Mean 2.5, standard deviation 0.5: 2.5 ± 4.303 · 0.5 / √3.
    const three = drawTau(makeResults({ seeds: [0, 1, 2], models: [single(2, 2.5, 3)] }));
    const [[low, high] = []] = bandsOf(three);
    expect(low).toBeCloseTo(1.258, 3);
    expect(high).toBeCloseTo(3.742, 3);
    expect(labelsOf(three)).toEqual(['95 % interval of the mean over seeds']);
  });

  it('are over the neurons where these differ, and the legend tells both apart', () => {
    const figure = drawTau(makeResults({ seeds: [0, 1], models: [single(2, 2.5), perNeuron(3, 4)] }));
    expect(bandsOf(figure)).toEqual([
      [2, 2.5],
      [3, 4],
    ]);
    expect(labelsOf(figure)).toEqual([
      'one τ per neuron: ± one standard deviation over neurons',
      'one τ per layer: range over seeds',
    ]);
    expect(figure.caption).toContain('both averaged over 2 seeds');
  });

  it('are absent with one seed and a single τ', () => {
    const figure = drawTau(makeResults({ models: [single(2)] }));
    expect(bandsOf(figure)).toEqual([]);
    expect(labelsOf(figure)).toEqual([]);
    expect(figure.caption).toContain('A layer with a single τ has no band.');
  });
});

it.each([
  [2, 2],
  [2, 2.25],
  [2, 2.29],
  [2, 2.4],
  [2, 4],
  [2, 40],
])('the axis of time constants from %f to %f has different labels', async (low, high) => {
  const { panels } = await renderFigure(drawTau(makeResults({ models: [single(low), single(high)] })), null);
  const labels = [...(panels[0] ?? '').matchAll(/>(\d+\.\d+)<\/text>/g)].map(([, text]) => text);
  expect(labels.length).toBeGreaterThan(2);
  expect(new Set(labels).size).toBe(labels.length);
});
