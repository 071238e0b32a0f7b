import { summarise } from '../../stats/means.ts';
import { describeEpochs, isValidated } from '../data/epochs.ts';
import { formatCount, formatPercent } from '../data/format.ts';
import { describeCoverage, hasReference, referenceOf } from '../data/reference.ts';
import type { ModelResult, Results } from '../data/results.ts';
import type { Figure } from '../drawing/figure.ts';
import { drawModelCurves, drawSplitCurves } from './curves.ts';
import type { ChooseAxis } from './fit-axis.ts';

/** Test and, if clips were held out, validation accuracy side by side over the epochs, one line per model, as in the thesis. */
export function drawAccuracy(results: Results): Figure {
  const quantity = (split: 'test' | 'validation', title: string) => ({
    name: split,
    title,
    pick: ({ metrics: { accuracy } }: ModelResult['runs'][number]) => accuracy[split],
    pickReference: ({ accuracy }: NonNullable<ReturnType<typeof referenceOf>>) => accuracy[split],
  });
  const what = isValidated(results) ? 'Test and validation' : 'Test';
  return drawModelCurves(results, {
    id: 'accuracy',
    title: `${what} accuracy over epochs`,
    caption: `Share of clips classified correctly after each epoch. Chance is ${formatPercent(chanceOf(results))}.`,
    alt: [
      `Line plots of ${what.toLowerCase()} accuracy over ${describeEpochs(results)}, one line per model.`,
      ...results.models.map(describeEnd),
      ...describeReference(results),
    ].join(' '),
    quantities: [
      quantity('test', 'Test clips'),
      ...(isValidated(results) ? [quantity('validation', 'Validation clips')] : []),
    ],
    columns: ['split', 'accuracy'],
    bounds: [0, 1],
    axis: axisOf(results),
    settled: true,
    size: { width: 440, height: 300 },
  });
}

/** Accuracy of each model over the epochs on the training, validation and test clips, to see how far they are apart. */
export function drawAccuracyByModel(results: Results): Figure {
  return drawSplitCurves(results, 'accuracy', {
    id: 'accuracy-by-model',
    title: 'Accuracy of each model over epochs',
    caption:
      'Share of clips classified correctly after each epoch; for training clips, during the epoch and with dropout. ' +
      `Chance is ${formatPercent(chanceOf(results))}.`,
    alt: [
      `Line plots of accuracy over ${describeEpochs(results)} on test${isValidated(results) ? ', validation' : ''} and training clips, one plot per model.`,
      ...results.models.map(describeEnd),
      ...describeReference(results),
    ].join(' '),
    axis: axisOf(results),
    settled: true,
    bounds: [0, 1],
    pickReference: ({ accuracy }) => accuracy,
    referenceCaption: '; for training, every 256th batch.',
  });
}

function chanceOf({ classes }: Results): number {
  return 1 / classes.length;
}

function axisOf(results: Results): ChooseAxis {
  return (lowest) => ({
    axisTitle: 'accuracy',
    // If all values are high, the lower half of the plot would be empty.
    domain: [lowest > 0.5 ? Math.floor(lowest * 10) / 10 : 0, 1],
    format: 'percent',
    level: { value: chanceOf(results), label: 'chance' },
  });
}

function describeEnd(model: ModelResult): string {
  const last = model.runs.flatMap(({ metrics }) => metrics.accuracy.test.at(-1) ?? []);
  if (last.length === 0) return `${model.title}: no test accuracy after the last epoch.`;
  const { mean } = summarise(last);
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
