import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../../src/report/data/results.ts';
import { renderFigure } from '../../../src/report/drawing/render.ts';
import { drawTau } from '../../../src/report/figures/tau.ts';
import { makeModelResult, makeResults, makeRunResult } from '../result-values.ts';

/** A run of one epoch and one layer. */
function runOf(seed: number, tau: number): RunResult {
  const share = { train: [0.5], validation: [0.5], test: [0.5] };
  const layers = [{ tauOfMean: [tau], tauMean: [tau + 0.1], tauStd: [0.5], tauChange: [0] }];
  return makeRunResult({ seed, metrics: { epochs: [1], accuracy: share, loss: share, layers } });
}

const single = (...taus: readonly number[]) =>
  makeModelResult({ runs: taus.map((tau, seed) => runOf(seed, tau)) });
const bandsOf = (figure: ReturnType<typeof drawTau>) =>
  [...JSON.stringify(figure.panels[0]?.spec).matchAll(/"low":([\d.]+),"high":([\d.]+)/g)].map(
    ([, low, high]) => [Number(low), Number(high)],
  );
const labelsOf = (figure: ReturnType<typeof drawTau>) =>
  figure.legend.filter(({ mark }) => mark === 'band').map(({ label }) => label.replaceAll('\u00a0', ' '));

describe('the bands of the time constants', () => {
  it('are over the seeds', () => {
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

  it('are absent with one seed', () => {
    const figure = drawTau(makeResults({ models: [single(2)] }));
    expect(bandsOf(figure)).toEqual([]);
    expect(labelsOf(figure)).toEqual([]);
  });
});

it('the description leaves out networks that have no τ', () => {
  const metrics = { layers: [{ tauOfMean: [null], tauMean: [null], tauStd: [null], tauChange: [null] }] };
  const none = makeRunResult({ metrics: { ...makeRunResult().metrics, epochs: [1], ...metrics } });
  const memoryless = makeModelResult({ id: 'memoryless', title: 'No memory', runs: [none] });
  const { alt } = drawTau(makeResults({ models: [single(2), memoryless] }));
  expect(alt).toContain('ends at 2.00.');
  expect(alt).not.toMatch(/unknown|No memory/);
});

it('the lines are τ at the mean of w, and the data have the mean of τ, too', () => {
  const figure = drawTau(makeResults({ models: [single(2)] }));
  expect(figure.data[1]).toEqual(['baseline', 0, 1, 1, 2, 2.1, 0.5, 'run']);
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
  const labels = [...(panels[0] ?? '').matchAll(/font-size="11px"[^>]*>(\d+(?:\.\d+)?)<\/text>/g)].map(
    ([, text]) => text,
  );
  expect(labels.length).toBeGreaterThan(2);
  expect(new Set(labels).size).toBe(labels.length);
});

it('a τ that is fixed far from the others makes the scale logarithmic, and its legend says what it is', () => {
  const fixed = makeModelResult({
    id: 'fixed',
    title: 'Fixed',
    runs: [{ ...runOf(1, 16), network: { neuron: 'lif', tau: { per: 'layer', mean: 16 } } }],
  });
  const figure = drawTau(makeResults({ models: [single(2, 2.5), fixed] }));
  expect(JSON.stringify(figure.panels[0]?.spec)).toContain('"type":"log"');
  expect(figure.legend.map(({ label }) => label)).toContain('Fixed (τ fixed at 16)');
  expect(figure.caption).toContain('the scale is logarithmic');
});
