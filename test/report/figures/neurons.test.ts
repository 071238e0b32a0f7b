import { describe, expect, it } from 'vitest';
import { renderFigure } from '../../../src/report/drawing/render.ts';
import { drawSpikes } from '../../../src/report/figures/spikes.ts';
import { drawTau } from '../../../src/report/figures/tau.ts';
import { tabulateSpikes } from '../../../src/report/sections/neurons.ts';
import { makeLayerResult, makeModelResult, makeResults, makeRunResult } from '../result-values.ts';

/** Quantiles of τ from 2 to 3. */
const SPREAD = Array.from({ length: 101 }, (_, i) => 2 + i / 100);

/** A run whose layer has these quantiles. */
const runWith = (taus: readonly number[], seed = 2020) =>
  makeRunResult({ seed, layers: [makeLayerResult(taus)] });

describe('the distribution of the time constants', () => {
  const models = [
    makeModelResult(),
    makeModelResult({ id: 'no-reg', title: 'No Reg.', runs: [runWith(SPREAD)] }),
  ];
  const violinsIn = (panel: string | undefined) => (panel ?? '').match(/fill-opacity="0\.3"/g)?.length ?? 0;

  it('is a violin behind the last epoch, only for neurons that differ', async () => {
    const { panels } = await renderFigure(drawTau(makeResults({ models })), null);
    // The outline of the violin is the only filled shape.
    expect(violinsIn(panels[0])).toBe(1);
    expect(panels[0]).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('takes the neurons of all seeds together', () => {
    const shifted = SPREAD.map((tau) => tau + 1);
    const runs = [runWith(SPREAD, 1), runWith(shifted, 2)];
    const figure = drawTau(makeResults({ seeds: [1, 2], models: [makeModelResult({ runs })] }));
    expect(figure.alt).toContain('3.00 (2.00 to 4.00).');
    expect(figure.caption).toContain('They have the neurons of all 2 seeds.');
  });

  it('has the quantiles at the last and at the chosen epoch as data', () => {
    const { data } = drawTau(makeResults({ models }));
    expect(data).toHaveLength(1 + 2 * 3 + 2 * 101);
    expect(data).toContainEqual(['no-reg', 2020, 1, 3, 0.25, 2.25, null, null, 'run']);
    expect(data).toContainEqual(['no-reg', 2020, 1, 2, 0.25, 2.25, null, null, 'run']);
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
