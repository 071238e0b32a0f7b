import { expect, it } from 'vitest';
import { drawLoss, drawTrainingLoss } from '../../../src/report/figures/loss.ts';
import { resultsOf } from '../result-values.ts';

it('the training loss of every 256th batch is drawn on both scales, from two such batches on', () => {
  const results = (loggedLoss: readonly (number | null)[]) => resultsOf({ loggedLoss });
  const long = results([0.5, null, 0.25]);
  const figure = drawTrainingLoss(long);
  expect(figure?.panels.map(({ title }) => title)).toEqual(['Linear scale', 'Logarithmic scale']);
  expect(figure?.panels[1]?.readings?.lines[0]?.points).toEqual([
    [1, 0.5],
    [3, 0.25],
  ]);
  expect(figure?.data).toEqual([
    ['model', 'seed', 'epoch', 'split', 'loss', 'source'],
    ['baseline', 2020, 1, 'train', 0.5, 'run'],
    ['baseline', 2020, 2, 'train', null, 'run'],
    ['baseline', 2020, 3, 'train', 0.25, 'run'],
  ]);
  expect(drawLoss(long).caption).not.toContain('256th');
  expect(drawTrainingLoss(results([0.5, null, null]))).toBeNull();
  expect(drawLoss(results([0.5, null, null])).caption).toContain('this run has at most one such batch');
});
