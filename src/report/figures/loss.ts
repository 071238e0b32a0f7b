import { type Results, SPLITS } from '../results.ts';
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

/** Loss of each model over the epochs, on the training, validation and test clips. */
export function drawLoss(results: Results): Figure {
  const smoothed = isSmoothed(allRuns(results));
  const models = results.models.map((model) => ({
    model,
    lines: SPLITS.map((split) => ({
      ...SPLIT_STYLES[split],
      series: buildSeries(model.runs, (metrics) => metrics.loss[split], smoothed),
    })),
  }));
  const highest = drawnExtent(models.flatMap(({ lines }) => lines.map(({ series }) => series)))?.[1] ?? 0;
  const top = highest > 0 ? highest * 1.05 : 1;
  return {
    id: 'loss',
    title: 'Loss over epochs',
    caption: [
      'Mean squared error of the firing rates against the one-hot labels. The training loss is taken with dropout and includes λ · Σ Var(w).',
      ...describeDrawing(results, smoothed),
    ].join(' '),
    alt: `Line plots of the training, validation and test loss over ${describeEpochs(results)}, one a model.`,
    legend: [...SPLIT_LEGEND, ...seedLegend(results)],
    columns: 2,
    panels: models.map(({ model, lines }) =>
      drawEpochPanel({
        title: model.title,
        lines,
        epochs: epochRange(results),
        domain: [0, top],
        axisTitle: 'loss',
        format: top < 0.02 ? '.3f' : '.2f',
        size: PANEL_SIZE,
      }),
    ),
    data: splitTable(results, 'loss'),
  };
}
