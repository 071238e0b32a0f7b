import { describe, expect, it } from 'vitest';
import type { Figure } from '../../src/report/figures/figure.ts';
import { renderFigure } from '../../src/report/figures/render.ts';
import { drawSpikes } from '../../src/report/figures/spikes.ts';
import { drawTauDistribution } from '../../src/report/figures/tau-distribution.ts';
import type { Results } from '../../src/report/results.ts';
import { tabulateSpikes } from '../../src/report/spikes-table.ts';
import { makeLayerResult, makeModelResult, makeResults, makeRunResult } from './result-values.ts';

/** Quantiles of τ from 2 to 3. */
const SPREAD = Array.from({ length: 101 }, (_, i) => 2 + i / 100);

/** The figure, which every test but one expects. */
function draw(results: Results): Figure {
  const figure = drawTauDistribution(results);
  if (figure === null) throw new Error('there is a distribution to draw');
  return figure;
}

/** A run whose layer has these quantiles. */
const runWith = (taus: readonly number[], seed = 2020) =>
  makeRunResult({ seed, layers: [makeLayerResult(taus)] });

describe('the distribution of the time constants', () => {
  const models = [
    makeModelResult(),
    makeModelResult({ id: 'no-reg', title: 'No Reg.', runs: [runWith(SPREAD)] }),
  ];

  it('is a line for a single τ, and a violin for neurons that differ', async () => {
    const [panel] = (await renderFigure(draw(makeResults({ models })), null)).panels;
    // The outline of the violin is the only filled shape.
    expect((panel ?? '').match(/fill-opacity="0\.3"/g)).toHaveLength(1);
    expect(panel).not.toMatch(/NaN|undefined|Infinity/);
    expect(panel).toContain('>No Reg.</text>');
  });

  it('is left out if every layer has a single τ', () => {
    expect(drawTauDistribution(makeResults())).toBeNull();
  });

  it('describes median and range in words', () => {
    expect(draw(makeResults({ models })).alt).toContain('Baseline: 3.00. No Reg.: 2.50 (2.00 to 3.00).');
  });

  it('takes the neurons of all seeds together', () => {
    const shifted = SPREAD.map((tau) => tau + 1);
    const runs = [runWith(SPREAD, 1), runWith(shifted, 2)];
    const figure = draw(makeResults({ seeds: [1, 2], models: [makeModelResult({ runs })] }));
    expect(figure.alt).toContain('Baseline: 3.00 (2.00 to 4.00).');
    expect(figure.caption).toContain('Neurons of all 2 seeds are taken together.');
  });

  it('does not draw a density of neurons that are all the same', async () => {
    const same = [makeModelResult({ runs: [runWith(SPREAD.map(() => 2.5))] })];
    const { sheet } = await renderFigure(draw(makeResults({ models: same })), null);
    expect(sheet).not.toMatch(/NaN|fill-opacity="0\.3"/);
  });

  it('has the quantiles of both states as data', () => {
    const { data } = draw(makeResults({ models }));
    expect(data).toHaveLength(1 + 2 + 2 * 101);
    expect(data[1]).toEqual(['baseline', 2020, 'last', 1, 1, 0.5, 3]);
    expect(data).toContainEqual(['no-reg', 2020, 'chosen', 1, 512, 0.25, 2.25]);
  });
});

describe('the spike density', () => {
  it('has a row per epoch of training, and one for the test clips at the chosen epoch', () => {
    const { data, alt } = drawSpikes(makeResults());
    expect(data).toEqual([
      ['model', 'seed', 'layer', 'epoch', 'split', 'spike_density'],
      ['baseline', 2020, 1, 1, 'train', 0.25],
      ['baseline', 2020, 1, 2, 'train', 0.125],
      ['baseline', 2020, 1, 3, 'train', 0.0625],
      ['baseline', 2020, 1, 2, 'test', 0.0625],
    ]);
    expect(alt.replaceAll('\u00a0', ' ')).toContain('Baseline ends at 6.3 %.');
  });

  it('is tabulated by layer as the mean over seeds, with a dash where a network is shallower', () => {
    const rate = (spikeRate: number) => ({ ...makeLayerResult(), spikeRate });
    const metrics = makeRunResult().metrics;
    const [layer] = metrics.layers;
    if (layer === undefined) throw new Error('the run has a layer');
    const deep = { ...metrics, layers: [layer, layer] };
    const runs = [
      makeRunResult({ metrics: deep, layers: [rate(0.1), rate(0.2)] }),
      makeRunResult({ metrics: deep, layers: [rate(0.3), rate(0.4)] }),
    ];
    const models = [makeModelResult({ runs }), makeModelResult({ id: 'shallow' })];
    const { rows } = tabulateSpikes(makeResults({ seeds: [1, 2], models }));
    expect(rows.map((row) => row.map(({ text }) => text.replaceAll('\u00a0', ' ')))).toEqual([
      ['Baseline', '20.0 %', '30.0 %'],
      ['Baseline', '6.3 %', '–'],
    ]);
  });
});
