import { summarise } from '../../stats/means.ts';
import { describeEpochs } from '../data/epochs.ts';
import { formatPoints } from '../data/format.ts';
import type {
  EpochPoint,
  ModelResult,
  ReferenceCurves,
  Results,
  RunResult,
  Series,
} from '../data/results.ts';
import type { Figure } from '../drawing/figure.ts';
import { drawModelCurves } from './curves.ts';

/** As in the thesis, for this figure alone. */
const WINDOW_EPOCHS = 32;

/** How far each model's accuracy on the validation clips is from that on the test clips, over the epochs, as in the thesis. */
export function drawDifference(results: Results): Figure {
  const users = Object.keys(results.manifest.perUser).length > 0;
  return drawModelCurves(results, {
    id: 'validation-test-difference',
    title: 'Difference between validation and test accuracy over epochs',
    caption: `The absolute difference after each epoch, in percentage points.${users ? ' The validation clips are of people who also made training clips, the test clips of other people.' : ''}`,
    alt: [
      `Line plot of the absolute difference between validation and test accuracy over ${describeEpochs(results)}, one line per model.`,
      ...results.models.map(describeEnd),
    ].join(' '),
    quantities: [{ name: 'difference', title: '', pick: subtract, pickReference: subtractReference }],
    columns: ['quantity', 'difference'],
    window: WINDOW_EPOCHS,
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
function describeEnd(model: ModelResult): string {
  const values = model.runs.flatMap((run) =>
    subtract(run)
      .slice(-Math.ceil(run.metrics.epochs.length / 10))
      .filter((value) => value !== null),
  );
  if (values.length === 0) return `${model.title}: unknown at the end.`;
  const { mean } = summarise(values);
  return `${model.title}: ${formatPoints(mean, false)} on average over the last tenth of the epochs.`;
}
