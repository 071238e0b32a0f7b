import { allRuns, describeEpochs } from '../epochs.ts';
import { describeCoverage, hasReference } from '../reference.ts';
import type { Results } from '../results.ts';
import type { Figure } from './figure.ts';
import { drawSplitCurves } from './split-curves.ts';

/** Loss of each model over the epochs, on the training, validation and test clips. */
export function drawLoss(results: Results): Figure {
  return drawSplitCurves(results, 'loss', {
    ...describeLoss(results),
    id: 'loss',
    title: 'Loss over epochs',
    axis: (_, highest) => {
      const top = highest > 0 ? highest * 1.05 : 1;
      return { domain: [0, top], format: top < 0.02 ? '.3f' : '.2f', axisTitle: 'loss' };
    },
  });
}

/** The same on a logarithmic scale, on which the small losses late in a training can be told apart. */
export function drawLogLoss(results: Results): Figure {
  const { caption, alt, ...rest } = describeLoss(results);
  return drawSplitCurves(results, 'loss', {
    ...rest,
    id: 'loss-logarithmic',
    title: 'Loss over epochs, logarithmic',
    caption: `As above, on a logarithmic scale. ${caption}`,
    alt: `On a logarithmic scale: ${alt}`,
    scale: 'log',
    axis: (lowest, highest) => ({
      domain: lowest > 0 ? [lowest * 0.9, highest * 1.1] : [0.01, 1],
      format: '~g',
      axisTitle: 'loss (logarithmic)',
    }),
  });
}

function describeLoss(results: Results) {
  return {
    caption:
      'Mean squared error of the firing rates against the one-hot labels. ' +
      `The training loss is measured with dropout and includes ${nameRegulariser(results)}.`,
    alt:
      `Line plots of the training, validation and test loss over ${describeEpochs(results)}, one per model.` +
      (hasReference(results)
        ? ` Thin lines show the training loss in the authors’ logs: ${describeCoverage(results)}.`
        : ''),
    bounds: [0, Number.POSITIVE_INFINITY],
    pickReference: ({ trainLoss }) => ({ train: trainLoss }),
    referenceCaption: ': the training loss of every 256th batch.',
  } as const satisfies Partial<Parameters<typeof drawSplitCurves>[2]>;
}

/** The variance is of w or, with `compat.regularise: tau`, of τ. */
function nameRegulariser(results: Results): string {
  const kinds = new Set(allRuns(results).map(({ compat }) => (compat?.regularise === 'tau' ? 'τ' : 'w')));
  return [...kinds].map((kind) => `λ · Σ Var(${kind})`).join(' or ');
}
