import { describe, expect, it } from 'vitest';
import { renderFigure } from '../../../src/report/drawing/render.ts';
import { drawAccuracyByModel } from '../../../src/report/figures/accuracy.ts';
import { drawConfusion } from '../../../src/report/figures/confusion.ts';
import { embedHover } from '../../../src/report/page/hover-script.ts';
import { makeResults } from '../result-values.ts';

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
