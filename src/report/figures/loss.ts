import type { Results } from '../results.ts';
import type { Figure } from './figure.ts';
import { describeEpochs, drawSplitCurves } from './split-curves.ts';

/** Loss of each model over the epochs, on the training, validation and test clips. */
export function drawLoss(results: Results): Figure {
  return drawSplitCurves(results, 'loss', {
    title: 'Loss over epochs',
    caption:
      'Mean squared error of the firing rates against the one-hot labels. ' +
      'The training loss is taken with dropout and includes λ · Σ Var(w).',
    alt: `Line plots of the training, validation and test loss over ${describeEpochs(results)}, one a model.`,
    axis: (_, highest) => {
      const top = highest > 0 ? highest * 1.05 : 1;
      return { domain: [0, top], format: top < 0.02 ? '.3f' : '.2f' };
    },
  });
}
