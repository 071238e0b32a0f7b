import { allRuns, describeEpochs, isValidated } from '../data/epochs.ts';
import { sentences } from '../data/format.ts';
import { describeCoverage, hasReference } from '../data/reference.ts';
import type { Results } from '../data/results.ts';
import type { Figure } from '../drawing/figure.ts';
import { drawModelCurves, drawSplitCurves } from './curves.ts';
import type { ChooseAxis } from './fit-axis.ts';

const LOGARITHMIC: ChooseAxis = (lowest, highest) => ({
  domain: lowest > 0 ? [lowest * 0.9, highest * 1.1] : [0.01, 1],
  // Long numbers would run into the title of the axis.
  format: lowest < 1e-4 ? '.0e' : '~g',
  axisTitle: 'loss (logarithmic)',
});

const LINEAR: ChooseAxis = (_, highest) => {
  const top = highest > 0 ? highest * 1.05 : 1;
  return { domain: [0, top], format: top < 0.02 ? '.3f' : '.2f', axisTitle: 'loss' };
};

/**
 * The training loss of single batches, on a linear and on a logarithmic scale, one line per model, as in the notebook of the thesis.
 *
 * @returns null if no run is long enough to have two such batches
 */
export function drawTrainingLoss(results: Results): Figure | null {
  if (!hasLoggedBatches(results)) return null;
  const ends = results.models.map(({ title, runs }) => {
    const last = runs.flatMap((run) => run.loggedLoss.findLast((value) => value !== null) ?? []);
    return `${title} ends at ${last.map((value) => value.toPrecision(2)).join(', ') || 'unknown'}.`;
  });
  const draw = (title: string, scale: 'linear' | 'log', axis: ChooseAxis) =>
    drawModelCurves(results, {
      id: 'training-loss',
      title: 'Training loss of every 256th batch',
      caption: `As in the notebook of the thesis, whose axis counts training steps, the loss of single batches, with dropout: the mean squared error of ${nameOutput(results)}${nameRegulariser(results, ' plus ')}. Where an epoch has several such batches, their mean is drawn.`,
      alt: sentences(
        `Line plots of the training loss of every 256th batch over ${describeEpochs(results)}, one line per model, on a linear and on a logarithmic scale.`,
        ...ends,
        describeReference(results),
      ),
      columns: ['split', 'loss'],
      window: null,
      bounds: [0, Infinity],
      size: { width: 440, height: 250 },
      scale,
      axis,
      quantities: [
        {
          name: 'train',
          title,
          pick: ({ loggedLoss }) => loggedLoss,
          pickReference: ({ trainLoss }) => trainLoss,
        },
      ],
    });
  const figure = draw('Linear scale', 'linear', LINEAR);
  const { panels } = draw('Logarithmic scale', 'log', LOGARITHMIC);
  return { ...figure, columns: 2, isSwitchable: true, panels: [...figure.panels, ...panels] };
}

function hasLoggedBatches(results: Results): boolean {
  return allRuns(results).some(({ loggedLoss }) => loggedLoss.filter((value) => value !== null).length > 1);
}

/**
 * Loss of each model over the epochs, on the training, validation and test clips, on a logarithmic scale, on which the small losses late in
 * a training can be told apart.
 */
export function drawLoss(results: Results): Figure {
  const short = hasLoggedBatches(results)
    ? ''
    : ' The notebook of the thesis draws the training loss of every 256th batch; this run has at most one such batch.';
  return drawSplitCurves(results, 'loss', {
    id: 'loss',
    title: 'Loss of each model over epochs',
    caption:
      `Mean squared error of ${nameOutput(results)} against the one-hot labels, on a logarithmic scale. ` +
      `The training loss is the mean of each epoch, with dropout${nameRegulariser(results, ', and includes ')}.${short}`,
    alt: sentences(
      `Line plots of the training${isValidated(results) ? ', validation' : ''} and test loss over ${describeEpochs(results)} on a logarithmic scale, one plot per model.`,
      describeReference(results),
    ),
    scale: 'log',
    axis: LOGARITHMIC,
    bounds: [0, Infinity],
    pickReference: ({ trainLoss }) => ({ train: trainLoss }),
    referenceCaption: ': the training loss of every 256th batch.',
  });
}

function describeReference(results: Results): string | false {
  return (
    hasReference(results) &&
    `Thin lines show the training loss in the authors’ logs: ${describeCoverage(results)}.`
  );
}

function nameOutput(results: Results): string {
  const kinds = allRuns(results).map(({ compat }) =>
    compat.loss === 'step' ? 'each time step’s output (compat.loss: step)' : 'the firing rates',
  );
  return [...new Set(kinds)].join(' or ');
}

/** The variance is of w or, with `compat.regularise: tau`, of τ. @returns nothing if no model has a regulariser */
function nameRegulariser(results: Results, before: string): string {
  const kinds = allRuns(results)
    .filter(({ training }) => training.regulariseTau !== 0)
    .map(({ compat }) => (compat.regularise === 'tau' ? 'τ' : 'w'));
  const names = [...new Set(kinds)].map((kind) => `λ · Σ Var(${kind})`);
  return names.length === 0 ? '' : before + names.join(' or ');
}
