import { expect, it } from 'vitest';
import { renderFigure } from '../../../src/report/drawing/render.ts';
import { drawAccuracy } from '../../../src/report/figures/accuracy.ts';
import { makeModelResult, makeResults, makeRunResult } from '../result-values.ts';

it('lines below the axis are cut off at the plot’s edge, in each panel by a name of its own', async () => {
  /** Below the axis at first, and again for one epoch before they settle. */
  const values = Array.from({ length: 300 }, (_, i) => (i < 10 || i === 20 ? 0.2 : 0.9));
  const accuracy = { train: values, validation: values, test: values };
  const metrics = { epochs: values.map((_, i) => i + 1), accuracy, loss: accuracy, layers: [] };
  const models = [makeModelResult({ runs: [makeRunResult({ metrics })] })];
  const { panels, sheet } = await renderFigure(drawAccuracy(makeResults({ models })), null);
  const names = panels.flatMap((svg) => [...svg.matchAll(/<clipPath id="([^"]+)"/g)].map(([, name]) => name));
  expect(names.length).toBeGreaterThan(1);
  expect(new Set(names).size).toBe(names.length);
  for (const [, name] of sheet.matchAll(/url\(#([^)]+)\)/g)) expect(names).toContain(name);
  // The plot is 364 x 230 px; strokes along its top and sides stay whole.
  expect(panels[0]).toContain('<rect x="-3" y="-3" width="370" height="233"');
});
