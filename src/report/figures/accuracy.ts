import { formatPercent } from '../format.ts';
import { type ModelResult, type Results, SPLITS } from '../results.ts';
import { drawEpochPanel } from './epoch-panel.ts';
import { buildSeries, drawnExtent, isSmoothed } from './epoch-series.ts';
import type { Figure } from './figure.ts';
import {
  allRuns,
  describeDrawing,
  describeEpochs,
  epochRange,
  PANEL_SIZE,
  SPLIT_LEGEND,
  SPLIT_STYLES,
  seedLegend,
  splitTable,
} from './split-curves.ts';

/** Accuracy of each model over the epochs, on the training, validation and test clips. */
export function drawAccuracy(results: Results): Figure {
  const smoothed = isSmoothed(allRuns(results));
  const models = results.models.map((model) => ({
    model,
    lines: SPLITS.map((split) => ({
      ...SPLIT_STYLES[split],
      series: buildSeries(model.runs, (metrics) => metrics.accuracy[split], smoothed),
    })),
  }));
  const lowest = drawnExtent(models.flatMap(({ lines }) => lines.map(({ series }) => series)))?.[0] ?? 0;
  const chance = 1 / results.classes.length;
  return {
    id: 'accuracy',
    title: 'Accuracy over epochs',
    caption: [
      'Share of clips classified correctly after each epoch; of training clips, during it and with dropout.',
      ...describeDrawing(results, smoothed),
      `The dashed line is chance, ${formatPercent(chance)}.`,
    ].join(' '),
    alt: `Line plots of accuracy over ${describeEpochs(results)}, one a model. ${models.map(({ model }) => describeEnd(model)).join(' ')}`,
    legend: [...SPLIT_LEGEND, ...seedLegend(results)],
    columns: 2,
    panels: models.map(({ model, lines }) =>
      drawEpochPanel({
        title: model.title,
        lines,
        epochs: epochRange(results),
        // Where every value is high, the lower half of the plot would be empty.
        domain: [lowest > 0.5 ? Math.floor(lowest * 10) / 10 : 0, 1],
        axisTitle: 'accuracy',
        format: 'percent',
        level: { value: chance, label: 'chance' },
        size: PANEL_SIZE,
      }),
    ),
    data: splitTable(results, 'accuracy'),
  };
}

function describeEnd(model: ModelResult): string {
  const last = model.runs.flatMap(({ metrics }) => metrics.accuracy.test.at(-1) ?? []);
  const [run] = model.runs;
  if (last.length === 0 || run === undefined) return `${model.title}: no test accuracy after the last epoch.`;
  const mean = last.reduce((sum, value) => sum + value, 0) / last.length;
  return `${model.title}: test accuracy ${formatPercent(mean)} after the last epoch.`;
}
