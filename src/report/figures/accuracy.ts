import { summarise } from '../../stats/means.ts';
import { describeEpochs, isValidated } from '../data/epochs.ts';
import { formatPoints, formatShare, groupDigits } from '../data/format.ts';
import { describeCoverage, hasReference, referenceOf } from '../data/reference.ts';
import type {
  EpochPoint,
  ModelResult,
  ReferenceCurves,
  Results,
  RunResult,
  Series,
} from '../data/results.ts';
import type { Figure } from '../drawing/figure.ts';
import { drawModelCurves, drawSplitCurves, type Quantity } from './curves.ts';
import type { ChooseAxis } from './fit-axis.ts';

/** Test and, if clips were held out, validation accuracy side by side over the epochs, one line per model, as in the thesis. */
export function drawAccuracy(results: Results): Figure {
  const quantity = (name: 'test' | 'validation', title: string): Quantity => ({
    name,
    title,
    pick: ({ metrics: { accuracy } }) => accuracy[name],
    pickReference: ({ accuracy }) => accuracy[name],
  });
  const what = isValidated(results) ? 'Test and validation' : 'Test';
  return drawModelCurves(results, {
    id: 'accuracy',
    title: `${what} accuracy over epochs`,
    caption: `Share of clips classified correctly after each epoch. Chance is ${formatShare(chanceOf(results))}.`,
    alt: `Line plots of ${what.toLowerCase()} accuracy over ${describeEpochs(results)}, one line per model. ${describeEnds(results)}`,
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
      'Share of clips classified correctly after each epoch; training clips: during the epoch, with dropout. ' +
      `Chance is ${formatShare(chanceOf(results))}.`,
    alt: `Line plots of accuracy over ${describeEpochs(results)} on test${isValidated(results) ? ', validation' : ''} and training clips, one plot per model. ${describeEnds(results)}`,
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

/** The test accuracies after the last epoch, here and in the authors' logs. */
function describeEnds(results: Results): string {
  const ends = results.models.map(({ title, runs }) => {
    const last = runs.flatMap(({ metrics }) => metrics.accuracy.test.at(-1) ?? []);
    return last.length === 0
      ? `${title}: no test accuracy after the last epoch.`
      : `${title}: test accuracy ${formatShare(summarise(last).mean)} after the last epoch.`;
  });
  const logged = results.models.flatMap((model) => {
    const last = referenceOf(results, model)?.accuracy.test.at(-1);
    return last === undefined
      ? []
      : `${model.title} in the logs: test accuracy ${formatShare(last.value)} after epoch ${groupDigits(last.epoch)}.`;
  });
  const logs = `Thin lines show the authors’ logs: ${describeCoverage(results)}.`;
  return [...ends, ...(hasReference(results) ? [logs, ...logged] : [])].join(' ');
}

/** How far each model's accuracy on the validation clips is from that on the test clips, over the epochs, as in the notebook of the thesis. */
export function drawDifference(results: Results): Figure {
  const users = Object.keys(results.manifest.perUser).length > 0;
  return drawModelCurves(results, {
    id: 'validation-test-difference',
    title: 'Difference between validation and test accuracy over epochs',
    caption: `The absolute difference after each epoch, in percentage points.${users ? ' The test clips are of other people than the training and validation clips.' : ''}`,
    alt: [
      `Line plot of the absolute difference between validation and test accuracy over ${describeEpochs(results)}, one line per model.`,
      ...results.models.map(describeLastDifference),
    ].join(' '),
    quantities: [{ name: 'difference', title: '', pick: subtract, pickReference: subtractReference }],
    columns: ['quantity', 'difference'],
    // As in the notebook, for this figure alone.
    window: 32,
    bounds: [0, 1],
    axis: (_, highest) => ({
      axisTitle: 'percentage points',
      // Noise of a point or two does not fill the plot.
      domain: [0, Math.max(highest, 0.05) + 0.01],
      format: 'points',
    }),
    size: { width: 440, height: 250 },
  });
}

function subtract({ metrics: { accuracy } }: RunResult): Series {
  return accuracy.validation.map((value, i) => {
    const other = accuracy.test[i] ?? null;
    return value === null || other === null ? null : Math.abs(value - other);
  });
}

function subtractReference({ accuracy: { validation, test } }: ReferenceCurves): EpochPoint[] {
  const testAt = new Map(test.map(({ epoch, value }) => [epoch, value]));
  return validation.flatMap(({ epoch, value }): EpochPoint[] => {
    const other = testAt.get(epoch);
    return other === undefined ? [] : [{ epoch, value: Math.abs(value - other) }];
  });
}

/** The mean over the last tenth of the epochs: a single one is mostly noise. */
function describeLastDifference({ title, runs }: ModelResult): string {
  const values = runs.flatMap((run) =>
    subtract(run)
      .slice(-Math.ceil(run.metrics.epochs.length / 10))
      .filter((value) => value !== null),
  );
  return values.length === 0
    ? `${title}: unknown at the end.`
    : `${title}: ${formatPoints(summarise(values).mean, false)} on average over the last tenth of the epochs.`;
}
