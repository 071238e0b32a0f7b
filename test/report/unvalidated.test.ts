import { expect, it } from 'vitest';
import { blocksOf } from '../../src/report/page/document.ts';
import { renderMarkdown } from '../../src/report/page/markdown.ts';
import { buildReport } from '../../src/report/report.ts';
import { COMPAT_DEFAULTS } from '../../src/results/thesis/compat.ts';
import { makeRunResult, resultsOf } from './result-values.ts';

it('a report of trainings that held no clips back shows no validation, and says so', () => {
  const { metrics, maximum } = makeRunResult();
  const untested = { validation: [null, null, null] };
  const run = {
    clips: { train: 100, validation: 0, test: 100 },
    metrics: {
      ...metrics,
      accuracy: { ...metrics.accuracy, ...untested },
      loss: { ...metrics.loss, ...untested },
    },
    compat: { ...COMPAT_DEFAULTS, selection: 'last' } as const,
    ...{ chosenOn: null, validation: null, maximum: { ...maximum, validation: null } },
  };
  const results = { ...resultsOf(run, run), simulated: true };
  const report = buildReport(results, { title: 'A run' });
  const text = renderMarkdown(report);
  expect(text).not.toMatch(/NaN|undefined|Infinity|chosen by validation/);
  expect(text).toContain('On simulated data, last epoch: test');
  expect(text).toContain('No clips were held out for validation: training used all of them.');
  // It follows from that, and nobody switched it.
  expect(text).not.toMatch(/compat\.selection|selection=last/);
  const figures = new Map(blocksOf(report, 'figure').map(({ figure }) => [figure.id, figure]));
  expect(figures.get('simulated-accuracy')).toMatchObject({
    title: 'Test accuracy over epochs',
    panels: [{ title: 'Test clips' }],
  });
  const byModel = figures.get('simulated-accuracy-by-model');
  expect(byModel?.legend.map(({ label }) => label)).not.toContain('validation');
  const splits = figures
    .get('simulated-outcomes')
    ?.data.slice(1)
    .map((row) => row[2]);
  expect(new Set(splits)).toEqual(new Set(['test']));
});
