import { allRuns, describeEpochs } from '../epochs.ts';
import { describeCoverage, hasReference } from '../reference.ts';
import type { Results } from '../results.ts';
import type { Figure } from './figure.ts';
import { drawSplitCurves } from './split-curves.ts';

/** Loss of each model over the epochs, on the training, validation and test clips. */
export function drawLoss(results: Results): Figure {
  return drawSplitCurves(results, 'loss', {
    title: 'Loss over epochs',
    caption:
      'Mean squared error of the firing rates against the one-hot labels. ' +
      `The training loss is measured with dropout and includes ${nameRegulariser(results)}.`,
    alt:
      `Line plots of the training, validation and test loss over ${describeEpochs(results)}, one per model.` +
      (hasReference(results)
        ? ` Thin lines show the training loss in the authors’ logs: ${describeCoverage(results)}.`
        : ''),
    axis: (_, highest) => {
      const top = highest > 0 ? highest * 1.05 : 1;
      return { domain: [0, top], format: top < 0.02 ? '.3f' : '.2f' };
    },
    pickReference: ({ trainLoss }) => ({ train: trainLoss }),
    referenceCaption: ': the training loss of every 256th batch.',
  });
}

/** The variance is of w or, with `compat.regularise: tau`, of τ. */
function nameRegulariser(results: Results): string {
  const kinds = new Set(allRuns(results).map(({ compat }) => (compat?.regularise === 'tau' ? 'τ' : 'w')));
  return [...kinds].map((kind) => `λ · Σ Var(${kind})`).join(' or ');
}
