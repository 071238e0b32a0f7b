import { titleDataset } from '../../thesis/data-sets.ts';
import { judgeComparability, THESIS } from '../../thesis/published.ts';
import { describeCoverage, hasReference } from '../data/reference.ts';
import type { Results } from '../data/results.ts';
import { drawAccuracy, drawAccuracyByModel, drawLoss } from '../figures/training.ts';
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
  const [from, own] =
    incomparable === 'simulated' ? ['recordings of ', 'simulated data'] : ['', titleDataset(results.dataset)];
  return `They come from ${from}${titleDataset(THESIS.dataset)}; beside curves from ${own}, they would invite a meaningless comparison.`;
}
