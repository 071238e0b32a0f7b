import { expect, it } from 'vitest';
import { encodeEventFileHeader, encodeScalarEvents } from '../../../src/formats/tfevents.ts';
import { drawLoss, drawTrainingLoss } from '../../../src/report/figures/loss.ts';
import { readLoggedLoss } from '../../../src/report/inputs/logged-loss.ts';
import { makeModelResult, makeResults, makeRunResult } from '../result-values.ts';

it('the losses of single batches are read epoch by epoch', () => {
  const events = [
    { tag: 'train_loss', step: 0, value: 0.5, wallTimeSeconds: 0 },
    { tag: 'train_accuracy', step: 0, value: 1, wallTimeSeconds: 0 },
    { tag: 'train_loss', step: 256, value: 0.25, wallTimeSeconds: 2 },
    { tag: 'train_loss', step: 512, value: 0.75, wallTimeSeconds: 2 },
    { tag: 'train_loss', step: 768, value: Number.NaN, wallTimeSeconds: 3 },
  ];
  const bytes = Buffer.concat([encodeEventFileHeader(0), encodeScalarEvents(events)]);
  expect(readLoggedLoss('events', bytes, [1, 2, 3, 4])).toEqual([0.5, null, 0.5, null]);
});

it('the training loss of every 256th batch is drawn on both scales, from two such batches on', () => {
  const results = (loggedLoss: readonly (number | null)[]) =>
    makeResults({ models: [makeModelResult({ runs: [makeRunResult({ loggedLoss })] })] });
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
