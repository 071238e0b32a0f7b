import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { csvFormat, csvParse } from 'd3-dsv';
import { expect, it } from 'vitest';
import { collectResults } from '../../src/report/collect.ts';
import { blocksOf } from '../../src/report/page/document.ts';
import { renderMarkdown } from '../../src/report/page/markdown.ts';
import { buildReport } from '../../src/report/report.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { QUICK, writeMadeUpResults } from './made-up-results.ts';
import { ENVIRONMENT } from './result-values.ts';

const MADE = { ...QUICK, models: ['baseline', 'no-reg'], seeds: [1, 2], epochs: 3 };

async function rewrite(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(file, change(await readFile(file, 'utf8')));
}

it('a report of trainings that held no clips back shows no validation, and says so', async () => {
  const folder = await temporaryFolder();
  const sources = await writeMadeUpResults(folder, MADE);
  for (const model of MADE.models) {
    for (const seed of MADE.seeds) {
      const place = join(model, String(seed));
      await rewrite(join(sources.train, place, 'run.json'), (text) => {
        const run = JSON.parse(text);
        run.split.validation = 0;
        run.best.validationAccuracy = null;
        run.maximum.validation = null;
        run.compat.selection = 'last';
        return JSON.stringify(run);
      });
      await rewrite(join(sources.evaluate, place, 'evaluation.json'), (text) => {
        const evaluation = JSON.parse(text);
        evaluation.checkpoint.selection = 'last';
        evaluation.validation = null;
        evaluation.maximum.validation = null;
        return JSON.stringify(evaluation);
      });
      await rewrite(join(sources.train, place, 'metrics.csv'), (text) =>
        csvFormat(csvParse(text).map((row) => ({ ...row, validation_loss: '', validation_accuracy: '' }))),
      );
    }
  }
  const report = buildReport(await collectResults(sources, MADE), {
    title: 'A run',
    environment: ENVIRONMENT,
  });
  const text = renderMarkdown(report);
  expect(text).not.toMatch(/NaN|undefined|Infinity|chosen by validation/);
  expect(text).toContain('On simulated data, last epoch: test');
  expect(text).toContain('No clips were held out for validation: training used all of them.');
  // It follows from that, and nobody switched it.
  expect(text).not.toContain('selection=last');
  expect(text).toContain('| last<br>default where no clips are held out |');
  const figures = blocksOf(report, 'figure').map(({ figure }) => figure);
  expect(figures.map(({ id }) => id)).not.toContain('simulated-validation-minus-test');
  const accuracy = figures.find(({ id }) => id === 'simulated-accuracy');
  expect(accuracy).toMatchObject({ title: 'Test accuracy over epochs', panels: [{ title: 'Test clips' }] });
  const byModel = figures.find(({ id }) => id === 'simulated-accuracy-by-model');
  expect(byModel?.legend.map(({ label }) => label)).not.toContain('validation');
  const outcomes = figures.find(({ id }) => id === 'simulated-outcomes');
  expect(new Set(outcomes?.data.slice(1).map((row) => row[2]))).toEqual(new Set(['test']));
});
