import { describeEpochs } from '../epochs.ts';
import { formatCount, formatPercent } from '../format.ts';
import { describeCoverage, hasReference, referenceOf } from '../reference.ts';
import type { ModelResult, Results } from '../results.ts';
import type { Figure } from './figure.ts';
import { drawSplitCurves } from './split-curves.ts';

/** Accuracy of each model over the epochs, on the training, validation and test clips. */
export function drawAccuracy(results: Results): Figure {
  const chance = 1 / results.classes.length;
  return drawSplitCurves(results, 'accuracy', {
    title: 'Accuracy over epochs',
    caption:
      'Share of clips classified correctly after each epoch; for training clips, during the epoch and with dropout. ' +
      `Chance is ${formatPercent(chance)}.`,
    alt: [
      `Line plots of accuracy over ${describeEpochs(results)}, one per model.`,
      ...results.models.map(describeEnd),
      ...describeReference(results),
    ].join(' '),
    axis: (lowest) => ({
      // If all values are high, the lower half of the plot would be empty.
      domain: [lowest > 0.5 ? Math.floor(lowest * 10) / 10 : 0, 1],
      format: 'percent',
      level: { value: chance, label: 'chance' },
    }),
    pickReference: ({ accuracy }) => accuracy,
    referenceCaption: '; for training, every 256th batch.',
  });
}

function describeEnd(model: ModelResult): string {
  const last = model.runs.flatMap(({ metrics }) => metrics.accuracy.test.at(-1) ?? []);
  if (last.length === 0) return `${model.title}: no test accuracy after the last epoch.`;
  const mean = last.reduce((sum, value) => sum + value, 0) / last.length;
  return `${model.title}: test accuracy ${formatPercent(mean)} after the last epoch.`;
}

function describeReference(results: Results): string[] {
  if (!hasReference(results)) return [];
  const ends = results.models.flatMap((model) => {
    const last = referenceOf(results, model)?.accuracy.test.at(-1);
    return last === undefined
      ? []
      : [
          `${model.title} in the logs: test accuracy ${formatPercent(last.value)} after epoch ${formatCount(last.epoch)}.`,
        ];
  });
  return [`Thin lines show the authors’ logs: ${describeCoverage(results)}.`, ...ends];
}
