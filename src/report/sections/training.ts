import { judgeComparability, THESIS } from '../../results/thesis/published.ts';
import { summarise } from '../../verdicts/stats/means.ts';
import { formatShare, groupDigits, present, sentences } from '../../verdicts/words.ts';
import { allRuns, axisRange, describeEpochs, isValidated, nameDropout } from '../data/epochs.ts';
import { describeCoverage, hasReference, referenceOf } from '../data/reference.ts';
import { RESULT_SPLITS, type ResultSplit, type Results } from '../data/results.ts';
import type { Figure, LegendEntry } from '../drawing/figure.ts';
import { modelColor } from '../drawing/theme.ts';
import {
  composeCurves,
  listSeedBand,
  modelLegend,
  modelLines,
  nameModelLogs,
  windowOf,
} from '../figures/curves.ts';
import {
  buildSeries,
  type ChooseAxis,
  type EpochLine,
  fitAxis,
  onlyPositive,
} from '../figures/epoch-panel.ts';
import { tabulateRuns } from '../figures/run-table.ts';
import type { Section, Text } from '../page/document.ts';

/** The curves over the epochs, and what is to know of the authors' logs beside them, if the profile names some. */
export function describeCurves(results: Results): Section {
  const figures = [drawAccuracy(results), drawAccuracyByModel(results), drawLoss(results)];
  const text = results.reference === null ? [] : explainLogs(results);
  return {
    id: 'training',
    title: 'Training',
    blocks: [
      ...(text.length === 0 ? [] : [{ kind: 'paragraph', text } as const]),
      ...figures.map((figure) => ({ kind: 'figure', figure }) as const),
    ],
  };
}

function explainLogs(results: Results): Text {
  const absence = explainAbsence(results);
  if (absence !== null) return [{ strong: 'The authors’ logs are left out. ' }, absence];
  return [
    { strong: 'Thin lines show the authors’ logs. ' },
    `They are the TensorBoard curves of the authors’ own trainings, one per model: ${describeCoverage(results)}. `,
    'Batch sizes and code may differ from this run, so compare the shape of the curves, not their values.',
  ];
}

function explainAbsence(results: Results): string | null {
  const incomparable = judgeComparability(results);
  if (incomparable === null)
    return hasReference(results) ? null : 'The folder named in the profile has no log of these models.';
  const [from, own] = {
    simulated: ['recordings of ', 'simulated data'],
    'other-dataset': ['', results.dataset.title],
    folds: ['the official test users of ', 'other users'],
  }[incomparable];
  return `They come from ${from}${THESIS.datasetTitle}; beside curves from ${own}, they would invite a meaningless comparison.`;
}

/**
 * Test and, if clips were held out, validation accuracy side by side over the epochs, one line per model.
 *
 * @see Pazderka 2024, figure 2
 */
export function drawAccuracy(results: Results): Figure {
  const titles = { test: 'Test clips', validation: 'Validation clips' };
  const splits = isValidated(results) ? (['test', 'validation'] as const) : (['test'] as const);
  const what = isValidated(results) ? 'Test and validation' : 'Test';
  const window = windowOf(results);
  const lines = splits.map((split) =>
    modelLines(
      results,
      ({ metrics: { accuracy } }) => accuracy[split],
      (model) => referenceOf(results, model)?.accuracy[split] ?? [],
      { window, bounds: [0, 1] },
    ),
  );
  const { axis, notes } = fitAccuracy(results, lines.flat());
  return composeCurves(results, {
    id: 'accuracy',
    title: `${what} accuracy over epochs`,
    caption: `Share of clips classified correctly after each epoch. Chance is ${formatShare(chanceOf(results))}.`,
    alt: `Line plots of ${what.toLowerCase()} accuracy over ${describeEpochs(results)}, one line per model. ${sentences(...describeEnds(results), ...describeLogs(results))}`,
    legend: modelLegend(results),
    columns: splits.length,
    panels: splits.map((split, i) => ({ title: titles[split], lines: lines[i]!, axis })),
    isSmoothed: true,
    notes: present(...notes, hasReference(results) && nameModelLogs(results, window !== null)),
    size: { width: 440, height: 300 },
    data: tabulateRuns(
      results,
      ['epoch', 'split', 'accuracy', 'source'],
      ({ metrics: { epochs, accuracy } }) =>
        splits.flatMap((split) =>
          epochs.map((epoch, i) => [epoch, split, accuracy[split][i] ?? null, 'run']),
        ),
      (model) =>
        splits.flatMap((split) =>
          (referenceOf(results, model)?.accuracy[split] ?? []).map(({ epoch, value }) => [
            ...[epoch, split, value, 'authors'],
          ]),
        ),
    ),
  });
}

/** Accuracy of each model over the epochs on the training, validation and test clips, to see how far they are apart. */
export function drawAccuracyByModel(results: Results): Figure {
  const lines = splitLines(results, 'accuracy');
  const { axis, notes } = fitAccuracy(results, lines.flat());
  return composeCurves(results, {
    id: 'accuracy-by-model',
    title: 'Accuracy of each model over epochs',
    caption:
      `Share of clips classified correctly after each epoch; training clips: during the epoch${nameDropout(results)}. ` +
      `Chance is ${formatShare(chanceOf(results))}.`,
    alt: `Line plots of accuracy over ${describeEpochs(results)} on test${isValidated(results) ? ', validation' : ''} and training clips, one plot per model. ${sentences(...describeEnds(results))}`,
    panels: results.models.map(({ title }, i) => ({ title, lines: lines[i]!, axis })),
    notes,
    ...splitFigure(results, 'accuracy'),
  });
}

/**
 * Loss of each model over the epochs, on the training, validation and test clips, on a logarithmic scale, on which the small losses late in
 * a training can be told apart.
 */
export function drawLoss(results: Results): Figure {
  const lines = splitLines(results, 'loss').map((ofModel) =>
    ofModel.map((line) => ({ ...line, series: onlyPositive(line.series) })),
  );
  const { axis } = fitAxis(lines.flat(), LOGARITHMIC, null);
  return composeCurves(results, {
    id: 'loss',
    title: 'Loss of each model over epochs',
    caption:
      `Mean squared error of ${nameOutput(results)} against the one-hot labels, on a logarithmic scale. ` +
      `The training loss is the mean of each epoch${nameDropout(results)}${nameRegulariser(results)}.`,
    alt: `Line plots of the training${isValidated(results) ? ', validation' : ''} and test loss over ${describeEpochs(results)} on a logarithmic scale, one plot per model.`,
    panels: results.models.map(({ title }, i) => ({ title, lines: lines[i]!, axis })),
    notes: [],
    ...splitFigure(results, 'loss'),
  });
}

/** How each part of the data is drawn, in the order of the legend. */
const SPLIT_STYLES = {
  test: { label: 'test', mark: 'line' },
  validation: { label: 'validation', mark: 'dashed' },
  train: { label: 'training', mark: 'dotted' },
} as const satisfies Record<ResultSplit, Pick<LegendEntry, 'label' | 'mark'>>;

/** A quantity of each model, with a line for each part of the data. */
function splitLines(results: Results, quantity: 'accuracy' | 'loss'): EpochLine[][] {
  const options = { window: windowOf(results), bounds: [0, quantity === 'loss' ? Infinity : 1] } as const;
  return results.models.map(({ runs }, index) =>
    RESULT_SPLITS.map((split) => ({
      ...SPLIT_STYLES[split],
      color: modelColor(index),
      series: buildSeries(runs, ({ metrics }) => metrics[quantity][split], options),
    })),
  );
}

function splitFigure(results: Results, quantity: 'accuracy' | 'loss') {
  const shown = Object.values(SPLIT_STYLES).filter(
    ({ label }) => label !== 'validation' || isValidated(results),
  );
  return {
    legend: [
      ...shown.map((style): LegendEntry => ({ ...style, color: 'ink' })),
      ...listSeedBand(results.seeds),
    ],
    columns: 2,
    isSmoothed: true,
    size: { width: 420, height: 240 },
    data: tabulateRuns(results, ['epoch', 'split', quantity], ({ metrics }) =>
      metrics.epochs.flatMap((epoch, i) =>
        RESULT_SPLITS.map((split) => [epoch, split, metrics[quantity][split][i] ?? null]),
      ),
    ),
  };
}

function chanceOf({ classes }: Results): number {
  return 1 / classes.length;
}

/** The axis of accuracies, which begins where those of a long training settle. */
function fitAccuracy(results: Results, lines: readonly EpochLine[]) {
  const choose: ChooseAxis = (lowest) => ({
    axisTitle: 'accuracy',
    // If all values are high, the lower half of the plot would be empty.
    domain: [lowest > 0.5 ? Math.floor(lowest * 10) / 10 : 0, 1],
    format: 'percent',
    level: { value: chanceOf(results), label: 'chance' },
  });
  return fitAxis(lines, choose, windowOf(results) === null ? null : axisRange(results));
}

const LOGARITHMIC: ChooseAxis = (lowest, highest) => ({
  domain: lowest > 0 ? [lowest * 0.9, highest * 1.1] : [0.01, 1],
  // Long numbers would run into the title of the axis.
  format: lowest < 1e-4 ? '.0e' : '~g',
  axisTitle: 'loss (logarithmic)',
  scale: 'log',
});

/** The test accuracies after the last epoch. */
function describeEnds({ models }: Results): string[] {
  return models.map(({ title, runs }) => {
    const last = runs.flatMap(({ metrics }) => metrics.accuracy.test.at(-1) ?? []);
    return last.length === 0
      ? `${title}: no test accuracy after the last epoch.`
      : `${title}: test accuracy ${formatShare(summarise(last).mean)} after the last epoch.`;
  });
}

/** Those in the authors' logs. */
function describeLogs(results: Results): string[] {
  if (!hasReference(results)) return [];
  const logged = results.models.flatMap((model) => {
    const last = referenceOf(results, model)?.accuracy.test.at(-1);
    return last === undefined
      ? []
      : `${model.title} in the logs: test accuracy ${formatShare(last.value)} after epoch ${groupDigits(last.epoch)}.`;
  });
  return [`Thin lines show the authors’ logs: ${describeCoverage(results)}.`, ...logged];
}

function nameOutput(results: Results): string {
  const kinds = allRuns(results).map(({ compat }) =>
    compat.loss === 'step' ? 'each time step’s output (compat.loss: step)' : 'the firing rates',
  );
  return [...new Set(kinds)].join(' or ');
}

/** The variance is of w or, with `compat.regularise: tau`, of τ. @returns nothing if no model has a regulariser */
function nameRegulariser(results: Results): string {
  const kinds = allRuns(results)
    .filter(({ training }) => training.regulariseTau !== 0)
    .map(({ compat }) => (compat.regularise === 'tau' ? 'τ' : 'w'));
  const names = [...new Set(kinds)].map((kind) => `λ · Σ Var(${kind})`);
  return names.length === 0 ? '' : `, and includes ${names.join(' or ')}`;
}
