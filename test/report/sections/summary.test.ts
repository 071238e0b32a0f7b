import { describe, expect, it } from 'vitest';
import type { Claim } from '../../../src/report/claims/claim.ts';
import { judgeClaims } from '../../../src/report/claims/judge.ts';
import { summariseModels } from '../../../src/report/data/outcome.ts';
import { contrastModels } from '../../../src/report/data/question.ts';
import type { ModelResult, Results } from '../../../src/report/data/results.ts';
import { writeSummary } from '../../../src/report/sections/summary.ts';
import { NMNIST } from '../../support/datasets.ts';
import { makeClaim } from '../claims/judging.ts';
import {
  makeAnswers,
  makeModelResult,
  makeResults,
  makeRunResult,
  plain,
  resultsOf,
  split,
} from '../result-values.ts';

/** With a claim for each published test accuracy, of 288 clips. */
function verdict(results: Results): string[] {
  const outcomes = summariseModels(results);
  const claims = results.models.flatMap(({ published }) => (published === null ? [] : [claimOf(published)]));
  const [first, ...others] = results.models;
  const contrasts = others.length === 0 ? null : contrastModels(first!, others);
  return writeSummary(results, outcomes, judgeClaims(claims, results, outcomes), contrasts).map(plain);
}

function claimOf({ name, test }: { readonly name: string; readonly test: number }): Claim {
  return makeClaim({
    id: name,
    published: { share: test, correct: Math.round(test * 288), clips: 288 },
    measure: { kind: 'accuracy', model: name, split: 'test', epoch: 'maximum' },
  });
}

/** A model with so many test clips correct, both at the chosen epoch and at best. */
function scoring(title: string, correct: number, published: number | null = null, clips = 100): ModelResult {
  return makeModelResult({
    id: title,
    title,
    published: published === null ? null : { source: 'thesis', name: title, test: published, validation: 1 },
    runs: [
      makeRunResult({
        training: {},
        clips: { train: 1007, validation: 169, test: clips },
        test: split(correct, clips),
        answers: makeAnswers(correct, clips),
        maximum: { test: { epoch: 3, accuracy: correct / clips }, validation: { epoch: 2, accuracy: 0.9 } },
      }),
    ],
  });
}

/** Of 288 clips, as in the thesis, where 275 were right. */
const reproducing = (title: string, correct: number) => scoring(title, correct, 0.955, 288);

describe('the headline says the same as the claims', () => {
  const headline = (...models: ModelResult[]) => verdict(makeResults({ models }))[0];

  it.each([
    [275, 'reproduced'],
    // The published 95.5 % lie outside Wilson's interval of these, but that interval takes them for exact.
    [283, 'inconclusive'],
    [255, 'not reproduced'],
  ])('of one model with %i of 288 clips right: %s', (correct, outcome) => {
    expect(headline(reproducing('A', correct))).toBe(
      `The published test accuracy of A is ${outcome}, as a maximum over epochs.`,
    );
  });

  it('of several models, and names those that are not reproduced', () => {
    expect(
      headline(reproducing('A', 275), reproducing('B', 255), reproducing('C', 283), reproducing('No.', 283)),
    ).toBe(
      'Of four published test accuracies, one is reproduced, one is not reproduced and two are inconclusive, as maxima over epochs. Not reproduced: B. Inconclusive: C and No.',
    );
    expect(headline(reproducing('A', 275), reproducing('B', 276))).toBe(
      'Both published test accuracies are reproduced, as maxima over epochs.',
    );
  });

  it('judges nothing by a run at reduced scale', () => {
    const { runs, ...rest } = reproducing('Baseline', 140);
    const small = { ...rest, runs: runs.map((run) => ({ ...run, network: { channels: 8 } })) };
    expect(verdict(makeResults({ models: [small] }))[0]).toBe(
      'This run is too small to reproduce a published test accuracy. “What holds” shows both.',
    );
  });
});

describe('the summary', () => {
  it.each([{ simulated: true }, { dataset: NMNIST }])(
    'never compares other data with the thesis: %j',
    (other) => {
      const text = verdict(makeResults({ ...other, models: [scoring('A', 95, 0.955)] })).join(' ');
      expect(text).toContain(`95.0 % of 100 ${other.simulated === true ? 'simulated ' : ''}test clips`);
      expect(text).not.toContain('published');
    },
  );

  it('says when a model is not clearly better than guessing', () => {
    // Chance is 50 %: guessing gets 58 or more of 100 right with 6.7 %, 70 or more with 0.004 %.
    const results = makeResults({ simulated: true, models: [scoring('A', 58), scoring('B', 70)] });
    expect(verdict(results)[1]).toBe(
      'The models classify 58.0 % (A) to 70.0 % (B) of 100 simulated test clips correctly at the epoch chosen by validation; chance is 50.0 %. Not clearly better than guessing: A. Guessing would get as many right with a probability of more than 2.5 %, divided by the number of models.',
    );
    expect(verdict(makeResults({ simulated: true, models: [scoring('A', 58)] }))[0]).toContain(
      'chance is 50.0 %. This is not clearly better than guessing, which would get as many right with a probability of 6.7 %.',
    );
  });

  it('compares models with the best constant answer if classes differ in size', () => {
    // 58 of 100 is clearly above a chance of 33.3 %, but 60 of 100 clips belong to one class.
    const confusion = [
      [10, 5, 5],
      [10, 40, 10],
      [6, 6, 8],
    ];
    const results = resultsOf({ test: split(58, 100), confusion });
    const [line] = verdict({ ...results, classes: ['wave', 'roll', 'clap'], simulated: true });
    expect(line).toContain('chance is 33.3 %, always answering “roll” would give 60.0 %.');
    expect(line).toContain('This is not clearly better than guessing, which');
  });

  it('allows for few clips: with a chance of one in eleven, 5 of 22 are not clearly better, 9 are', () => {
    // Wilson's interval for 5 of 22 begins at 10.1 %, above 9.1 %, but guessing gets 5 or more right with 4.4 %.
    const classes = Array.from({ length: 11 }, (_, i) => `gesture ${i + 1}`);
    const right = (title: string, correct: number) =>
      makeModelResult({
        title,
        runs: [
          makeRunResult({
            test: split(correct, 22),
            // Two clips per class; those of the first classes are correct.
            confusion: classes.map((_, row) =>
              classes.map((_, column) => {
                const own = Math.min(2, Math.max(0, correct - 2 * row));
                return row === column ? own : column === (row + 1) % 11 ? 2 - own : 0;
              }),
            ),
          }),
        ],
      });
    const verdictOf = (...models: ModelResult[]) =>
      verdict(makeResults({ simulated: true, classes, models }))[models.length === 1 ? 0 : 1];
    expect(verdictOf(right('A', 5), right('B', 5))).toContain('Not clearly better than guessing: A and B.');
    expect(verdictOf(right('A', 5))).toContain(
      'guessing, which would get as many right with a probability of 4.4 %.',
    );
    expect(verdictOf(right('A', 9), right('B', 9))).not.toContain('clearly');
    // Guessing gets 6 of 22 right with 1.2 %: enough evidence for a single model or one of two, not for one of three.
    expect(verdictOf(right('A', 6))).not.toContain('clearly');
    expect(verdictOf(right('A', 6), right('B', 9))).not.toContain('clearly');
    expect(verdictOf(right('A', 6), right('B', 9), right('C', 9))).toContain(
      'Not clearly better than guessing: A.',
    );
  });

  it('compares models with the first by the tests of the table of differences, not by their intervals', () => {
    const close = makeResults({ models: [scoring('A', 90), scoring('B', 92)] });
    expect(verdict(close).join(' ')).not.toContain('clearly better than guessing');
    expect(verdict(close)[0]).toBe(
      'No model’s test accuracy differs significantly from that of A (over four users, for these trainings; Holm-corrected). This does not show that they are equal.',
    );
    // Wilson's intervals overlap, but B is right on three more clips of each user, of the last one on two. Deviations of ¼, ¼, ¼ and −¾ clips give an
    // error of √(4 / 3 · ¾) / 100, so t = 11 with three degrees of freedom: p = 0.0016, twice that after Holm.
    const apart = makeResults({ models: [scoring('A', 80), scoring('B', 91), scoring('C', 81)] });
    expect(verdict(apart)).toContain(
      'On the test clips, B is 11.0 points more accurate than A, p = 0.003 (over four users, for these trainings; Holm-corrected).',
    );
    // Two more clips of each user.
    expect(verdict(makeResults({ models: [scoring('A', 80), scoring('B', 88)] }))).toContain(
      'No test can tell whether the models differ: the difference is the same for every user, up to rounding, which does not say how far others may be.',
    );
  });
});
