import { describe, expect, it } from 'vitest';
import { renderFigure } from '../../../src/report/drawing/render.ts';
import { drawTauNeurons, explainByTwo } from '../../../src/report/figures/tau.ts';
import { answerGroups } from '../../../src/report/sections/neurons.ts';
import { makeLayerResult, makeModelResult, makeResults, makeRunResult, plain } from '../result-values.ts';

/** Quantiles in hundredths of ln τ, from a function of the quantile. */
const quantiles = (logOf: (share: number) => number) =>
  Array.from({ length: 101 }, (_, i) => Math.exp(logOf(i / 100)));

const EVEN = quantiles((share) => 0.5 + 0.5 * share);
/** Quantiles of the logistic distribution: a single hill with long tails. */
const HILL = quantiles((share) => 0.7 + 0.02 * Math.log((share + 0.001) / (1.001 - share)));
const TWO = quantiles((share) => (share < 0.5 ? 0.5 : 1.5) + 0.02 * share);

const modelOf = (title: string, ...layers: readonly (readonly number[])[]) =>
  makeModelResult({
    id: title,
    title,
    runs: [makeRunResult({ layers: layers.map((taus) => makeLayerResult(taus)) })],
  });

const resultsOf = (...models: ReturnType<typeof modelOf>[]) => makeResults({ models });

describe('the division in two', () => {
  it('explains three quarters of an even distribution, less of a hill, nearly all of two groups', () => {
    expect(explainByTwo(EVEN)).toBeCloseTo(0.75, 2);
    expect(explainByTwo(HILL)).toBeLessThan(0.64);
    expect(explainByTwo(TWO)).toBeGreaterThan(0.99);
  });

  it('takes a few far neurons for no group', () => {
    const few = quantiles((share) => (share < 0.97 ? 0.7 + 0.1 * share : 2));
    expect(explainByTwo(few)).toBeLessThan(0.75);
  });
});

describe('the time constants of the neurons', () => {
  it('have an outline for each model whose neurons differ, as high as its fullest bin', async () => {
    const figure = drawTauNeurons(resultsOf(modelOf('One', [3]), modelOf('Many', EVEN)))!;
    expect(figure.legend.map(({ label }) => label)).toEqual(['Many']);
    expect(figure.caption).toContain('A model with one τ in a layer has no outline.');
    const rows = figure.data.slice(1);
    expect(rows).toHaveLength(20);
    // From the 1st to the 99th percentile, in equal parts.
    expect(rows.reduce((sum, row) => sum + Number(row[4]), 0)).toBeCloseTo(0.98, 3);
    expect(rows[0]?.slice(0, 3)).toEqual(['Many', 1, expect.closeTo(EVEN[1]!, 7)]);
    const { panels } = await renderFigure(figure, null);
    expect(panels[0]).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('have no figure where every layer has one τ, or all but a few neurons have the same', () => {
    const same = EVEN.map((tau, i) => (i === 100 ? 2 * tau : 2));
    expect(drawTauNeurons(resultsOf(modelOf('One', [3]), modelOf('Same', same)))).toBeNull();
  });

  it('are logarithmic where they are far apart', () => {
    const wide = quantiles((share) => 3 * share);
    const spec = JSON.stringify(drawTauNeurons(resultsOf(modelOf('Wide', wide)))?.panels[0]?.spec);
    expect(spec).toContain('"type":"log"');
  });

  it('are told to form groups only where a layer of many has more than an even spread', () => {
    expect(plain(answerGroups(resultsOf(modelOf('Hill', HILL))))).toMatch(
      /^In no layer do the neurons form two groups by their τ\. .*\(Hill, layer 1\) of the variance of ln τ;/,
    );
    expect(plain(answerGroups(resultsOf(modelOf('Even', EVEN), modelOf('Two', TWO))))).toMatch(
      /^The neurons form two groups by their τ in layer 1 of Two\. /,
    );
    const layer = { count: 16, taus: TWO };
    const few = makeRunResult({ layers: [{ spikeRate: 0, taus: layer }] });
    expect(answerGroups(resultsOf(makeModelResult({ runs: [few] })))).toEqual([]);
  });
});
