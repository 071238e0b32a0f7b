import { describe, expect, it } from 'vitest';
import { lateAccuracy } from '../../../src/report/data/epochs.ts';
import { summariseModels } from '../../../src/report/data/outcome.ts';
import type { ModelResult, Results, RunResult, Series } from '../../../src/report/data/results.ts';
import { tabulateBestEpochs, tabulateLate } from '../../../src/report/sections/epoch-tables.ts';
import { NMNIST } from '../../support/datasets.ts';
import { makeModelResult, makeResults, makeRunResult, resultsOf, spaced, textsOf } from '../result-values.ts';

/** A run with these test accuracies, epoch by epoch. */
function runOf(test: Series, validation: Series = test): RunResult {
  const accuracy = { train: test, validation, test };
  const epochs = test.map((_, i) => i + 1);
  const metrics = { epochs, accuracy, loss: accuracy, layers: [] };
  return makeRunResult({ metrics, training: { cosineHalfPeriod: 64 } });
}

/** Epochs of 0.5 up to the last `late` ones, which are 0.8 and 1.0 by turns. */
const settling = (epochs: number, late: number): number[] =>
  Array.from({ length: epochs }, (_, i) => (i < epochs - late ? 0.5 : i % 2 === 0 ? 0.8 : 1));

function late(results: Results) {
  const table = tabulateLate(results, summariseModels(results));
  const { rows, notes } = table;
  return {
    cells: textsOf(table),
    details: rows.map((row) => row.map((cell) => cell.details?.map(spaced) ?? [])),
    notes: spaced(JSON.stringify(notes)),
  };
}

describe('the accuracy over the last epochs', () => {
  it('is the mean and the unbiased deviation of those that were tested', () => {
    expect(lateAccuracy(runOf([0.1, 0.5, null, 0.7]), 3)).toEqual({
      mean: 0.6,
      // √(2 · 0.1²)
      deviation: expect.closeTo(Math.SQRT2 / 10, 12),
      tests: 2,
      epochs: [2, 4],
    });
    expect(lateAccuracy(runOf([0.1, 0.5]), 64)).toMatchObject({ tests: 2, epochs: [1, 2] });
    expect(lateAccuracy(runOf([0.5]), 64)).toMatchObject({ mean: 0.5, deviation: null });
    expect(lateAccuracy(runOf([0.5, null]), 1)).toBeNull();
  });

  it('is over one period of the learning rate and over 64 epochs, beside the published one', () => {
    const { cells, details, notes } = late(resultsOf(runOf(settling(300, 64))));
    // 64 of 128 epochs are 0.5, the others 0.9 on average.
    expect(cells).toEqual([
      ['Baseline', '95.5 %', '93.9 ± 0.5 %', '92.0 %', '90.0 %', '70.0 ± 21.3 %', '90.0 ± 10.1 %'],
    ]);
    expect(details[0]?.slice(-2)).toEqual([['epochs 173 to 300'], ['epochs 237 to 300']]);
    expect(details[0]?.[2]).toEqual(['epochs 1 193 to 1 256']);
    expect(notes).toContain('46d17374ce057139f811cf60ee27819499691f8317ea95dfa387b0f5dd149c96');
    expect(notes).toContain('The last cosine cycle is the last 128 epochs');
    expect(notes).not.toContain('only');
  });

  it('has nothing published beside simulated or other data, or beside a training that held no clips back', () => {
    const run = runOf(settling(300, 64));
    const unheld = [makeModelResult({ runs: [{ ...run, clips: { ...run.clips, validation: 0 } }] })];
    for (const other of [{ simulated: true }, { dataset: NMNIST }, { models: unheld }]) {
      const models = [makeModelResult({ runs: [run] })];
      const { cells, notes } = late(makeResults({ models, ...other }));
      expect(cells[0]).toHaveLength(5);
      expect(notes).not.toMatch(/[Pp]ublished|authors/);
      const best = tabulateBestEpochs(makeResults({ models, ...other }));
      expect(textsOf(best)).toEqual([['Baseline', '300', '238', '238']]);
      expect(JSON.stringify(best)).not.toMatch(/[Pp]ublished|notebook/);
    }
  });

  it('averages mean and deviation over the seeds, and shows how far they are apart', () => {
    const { cells, details } = late(resultsOf(runOf([0.4, 0.6]), runOf([0.7, 0.9])));
    expect(cells[0]?.at(-1)).toBe('65.0 ± 14.1 %');
    expect(details[0]?.at(-1)).toEqual(['epochs 1 to 2', '50.0–80.0 % over seeds']);
  });
});

describe('the order of the models', () => {
  const model = (id: string, name: string, test: number, accuracies: readonly number[]): ModelResult =>
    makeModelResult({
      id,
      title: name,
      published: { source: 'thesis', name, test, validation: 1 },
      runs: [
        { ...runOf(accuracies), maximum: { ...makeRunResult().maximum, test: { epoch: 1, accuracy: test } } },
      ],
    });

  it('is told by the maximum and by the mean for this run, and not for the thesis, which lacks a window of one model', () => {
    const { cells, details, notes } = late(
      makeResults({
        models: [
          model('baseline', 'Baseline', 0.955, [0.8, 0.8]),
          model('no-reg', 'No Reg.', 0.951, [0.9, 0.9]),
          model('lambda-0.01', 'λ = .01', 0.958, [0.7, 0.7]),
          model('lambda-0.1', 'λ = .1', 0.962, [0.6, 0.6]),
        ],
      }),
    );
    expect(notes).toContain(
      'by the mean over the last cosine cycle No Reg. (90.0 %), Baseline (80.0 %), λ = .01 (70.0 %) and λ = .1 (60.0 %). λ = .1 leads by the maximum, No Reg. leads by the mean.',
    );
    expect(cells.map((row) => row[2])).toEqual(['93.9 ± 0.5 %', '92.3 ± 1.0 %', '93.6 ± 1.0 %', '–']);
    expect(details.map((row) => row[2])).toEqual([
      ['epochs 1 193 to 1 256'],
      ['epochs 1 258 to 1 321'],
      ['epochs 1 143 to 1 206'],
      [],
    ]);
    expect(notes).not.toMatch(/Published, from best|Baseline leads/);
    expect(notes).toContain(
      'The event file of λ = .1 ends in a dip, at epoch 655 of 1 256, so it does not show the last epochs. Figure 2 of the thesis (page 8, read from its pixels) ends with λ = .1 at 94.5 % and Baseline at 94.0 %.',
    );
  });
});

it('the best epochs are the first ones, from 1, beside those of the notebook; without validation clips there is none', () => {
  const run = runOf([0.5, 0.9, null, 0.9], [null, null, null, null]);
  const table = tabulateBestEpochs(resultsOf(run));
  expect(textsOf(table)).toEqual([['Baseline', '1 256', '4', '340', '2', '438', '–']]);
  expect(spaced(JSON.stringify(table.notes))).toContain(
    'the same maximum again in seven epochs from 604 to 1 184',
  );
});
