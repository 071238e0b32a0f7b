import { describe, expect, it } from 'vitest';
import type { ReferenceCurves } from '../../../src/report/data/results.ts';
import type { Figure } from '../../../src/report/drawing/figure.ts';
import { renderFigure } from '../../../src/report/drawing/render.ts';
import { drawAccuracy, drawAccuracyByModel, drawDifference } from '../../../src/report/figures/accuracy.ts';
import { drawConfusion } from '../../../src/report/figures/confusion.ts';
import { drawTau } from '../../../src/report/figures/tau.ts';
import { embedHover } from '../../../src/report/page/hover-script.ts';
import { makeModelResult, makeResults, makeRunResult } from '../result-values.ts';

/** Made-up logs of the second epoch. */
const LOGGED: ReferenceCurves = {
  epochs: [2, 2],
  accuracy: { train: [], validation: [{ epoch: 2, value: 0.75 }], test: [{ epoch: 2, value: 0.5 }] },
  trainLoss: [],
  tau: [[{ epoch: 2, value: 2.25 }]],
  placed: true,
  truncated: [],
};

describe('what a figure tells about the place of a pointer', () => {
  it('is the value of every line in its legend, as percentages for shares', async () => {
    const results = makeResults();
    const { hover } = await renderFigure(drawAccuracyByModel(results), null);
    const [panel] = hover;
    const { metrics } = results.models[0]!.runs[0]!;
    expect(panel?.axis).toMatchObject({ name: 'epoch' });
    expect(panel?.series.map(({ label, unit }) => label + unit)).toEqual([
      'training\u00a0%',
      'validation\u00a0%',
      'test\u00a0%',
    ]);
    const test = panel?.series.find(({ label }) => label === 'test');
    expect(test?.from).toBe(metrics.epochs[0]);
    expect(test?.values).toEqual(
      metrics.accuracy.test.map((value) => (value === null ? null : Number((100 * value).toFixed(1)))),
    );
  });

  it('is also the value of every line of the authors’ logs, by model', async () => {
    const reference = new Map([['baseline', LOGGED]]);
    const models = [makeModelResult(), makeModelResult({ id: 'other', title: 'Other' })];
    const results = makeResults({ models, reference });
    const labelsOf = async (figure: Figure) =>
      (await renderFigure(figure, null)).hover.map(({ series }) => series.map(({ label }) => label));
    const logs = 'Baseline, authors’ logs';
    expect(await labelsOf(drawAccuracy(results))).toEqual([
      ['Baseline', logs, 'Other'],
      ['Baseline', logs, 'Other'],
    ]);
    expect(await labelsOf(drawDifference(results))).toEqual([['Baseline', logs, 'Other']]);
    expect(await labelsOf(drawTau(results))).toEqual([['Baseline', logs, 'Other']]);
    const { hover } = await renderFigure(drawAccuracy(results), null);
    expect(hover[0]?.series[1]).toMatchObject({ from: 2, values: [50], color: 'blue' });
  });

  it('is in percentage points for differences of shares', async () => {
    const accuracy = { train: [0, 0], validation: [0.5, 0.75], test: [0.25, 0.875] };
    const { loss } = makeRunResult().metrics;
    const metrics = { epochs: [1, 2], accuracy, loss, layers: [] };
    const models = [makeModelResult({ runs: [makeRunResult({ metrics })] })];
    const { hover } = await renderFigure(drawDifference(makeResults({ models })), null);
    expect(hover[0]?.series).toMatchObject([
      { label: 'Baseline', values: [25, 12.5], digits: 1, unit: '\u00a0points' },
    ]);
  });

  it('is a text for every cell of a matrix, at its place in the panel', async () => {
    const figure = drawConfusion(makeResults());
    const { hover } = await renderFigure(figure, null);
    const [panel] = hover;
    const [drawn] = figure.panels;
    expect(panel?.tips).toHaveLength(4);
    expect(panel?.tips[1]?.[4]).toMatch(/^wave\ntaken for clap: \d+ of \d+ clips$/);
    for (const [x1, y1, x2, y2] of panel?.tips ?? []) {
      expect(0 < x1 && x1 < x2 && x2 <= drawn!.width).toBe(true);
      expect(0 < y1 && y1 < y2 && y2 <= drawn!.height).toBe(true);
    }
  });

  it('cannot end the element that it is embedded in', () => {
    const text = '</script><script>alert(1)</script>';
    const embedded = embedHover([{ title: text, series: [], axis: null, tips: [] }]);
    expect(embedded.match(/<\/script>/g)).toHaveLength(1);
    expect(JSON.parse(embedded.replace(/^<script[^>]*>|<\/script>$/g, ''))).toMatchObject([{ title: text }]);
  });
});
