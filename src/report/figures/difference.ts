import { describeEpochs } from '../epochs.ts';
import { formatPoints } from '../format.ts';
import type { EpochMetrics, EpochPoint, ModelResult, ReferenceCurves, Results, Series } from '../results.ts';
import type { Figure } from './figure.ts';
import { drawModelCurves } from './model-curves.ts';

/** How much more accurate each model is on the validation clips than on the test clips, over the epochs. */
export function drawDifference(results: Results): Figure {
  const users = results.manifest.perUser.length > 0;
  return drawModelCurves(results, {
    id: 'validation-minus-test',
    title: 'Validation minus test accuracy over epochs',
    caption: `In percentage points, after each epoch. Above 0, a model does better on the validation clips${users ? ', whose people it knows from training, than on those of people it has never seen' : ''}.`,
    alt: [
      `Line plot of validation minus test accuracy over ${describeEpochs(results)}, one line per model.`,
      ...results.models.map(describeEnd),
    ].join(' '),
    quantities: [
      { name: 'validation-minus-test', title: '', pick: subtract, pickReference: subtractReference },
    ],
    columns: ['quantity', 'difference'],
    bounds: [-1, 1],
    axis: (lowest, highest) => ({
      axisTitle: 'percentage points',
      // The zero line is in sight, and noise of a point or two does not fill the plot.
      domain: [Math.min(lowest, -0.05) - 0.01, Math.max(highest, 0.05) + 0.01],
      format: 'points',
      level: { value: 0, label: '' },
    }),
    size: { width: 440, height: 250 },
  });
}

function subtract({ accuracy: { validation, test } }: EpochMetrics): Series {
  return validation.map((value, i) => {
    const other = test[i] ?? null;
    return value === null || other === null ? null : value - other;
  });
}

function subtractReference({ accuracy: { validation, test } }: ReferenceCurves): EpochPoint[] {
  const testAt = new Map(test.map(({ epoch, value }) => [epoch, value]));
  return validation.flatMap(({ epoch, value }): EpochPoint[] => {
    const other = testAt.get(epoch);
    return other === undefined ? [] : [{ epoch, value: value - other }];
  });
}

/** The mean over the last tenth of the epochs: a single one is mostly noise. */
function describeEnd(model: ModelResult): string {
  const values = model.runs.flatMap(({ metrics }) =>
    subtract(metrics)
      .slice(-Math.ceil(metrics.epochs.length / 10))
      .filter((value) => value !== null),
  );
  if (values.length === 0) return `${model.title}: unknown at the end.`;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return `${model.title}: ${formatPoints(mean)} over the last tenth of the epochs.`;
}
