import { expect, test } from 'vitest';
import { summariseModels } from '../../../src/report/data/outcome.ts';
import { makeAnswers, makeModelResult, makeResults, makeRunResult } from '../result-values.ts';

test('the mean over folds of different sizes is the share of all clips', () => {
  const run = (first: number, correct: number, clips: number, user: number) =>
    makeRunResult({
      test: { accuracy: correct / clips, loss: 1, correct, clips },
      testUsers: [user],
      answers: makeAnswers(correct, clips).map((answer) => ({ ...answer, user, clip: first + answer.clip })),
    });
  const models = [makeModelResult({ runs: [run(0, 120, 240, 1), run(240, 162, 216, 2)] })];
  const [outcome] = summariseModels(makeResults({ models }));
  expect(outcome?.chosen.test).toMatchObject({ mean: 282 / 456, clips: 456, values: [0.5, 0.75] });
});
