import { describe, expect, it } from 'vitest';
import { answerOrders, answerSteps, describeTime, drawLatency } from '../../../src/report/sections/time.ts';
import {
  makeModelResult,
  makeResults,
  makeRunResult,
  plain,
  spaced,
  split,
  textsOf,
} from '../result-values.ts';

/** 90 of 100 are right as they are. */
const timed = (title: string, reversed: number, mean: number, correctByStep: number[]) => {
  const orders = { reversed: split(reversed, 100), mean: split(mean, 100) };
  return makeModelResult({ id: title, title, runs: [makeRunResult({ orders, correctByStep })] });
};
const models = [timed('A', 60, 70, [20, 60, 89, 90]), timed('B', 80, 91, [90, 75, 90, 90])];
const results = makeResults({ models });

describe('the section on time', () => {
  it('says what the models lose on average in other orders, and how soon they have their answers', () => {
    expect(plain(answerOrders(results))).toMatch(
      /^On average, the models lose 20.0 points with each clip’s frames reversed and 9.5 points with them replaced by their mean\. /,
    );
    // A: 1 + 70/90 + 30/90 + 1/90.
    expect(plain(answerSteps(results))).toBe(
      'The clips that are right in the end have their answers after 1.2 (B) to 2.1 (A) of 4 time steps on average, if each keeps its right answer once it has it. After 2, accuracy is 60.0 % (A) to 75.0 % (B). ' +
        'On the way, accuracy falls from 90.0 % after step 1 to 75.0 % after step 2 (B): training asks only for the mean of all steps, not for early answers.',
    );
  });

  it('has a row for each model, with a column for each order that was evaluated', () => {
    const blocks = describeTime(results).blocks;
    const table = blocks.flatMap((block) => (block.kind === 'table' ? [block.table] : []))[0]!;
    expect(table.columns.map(({ label }) => label)).toEqual([
      ...['Model', 'As they are', 'Reversed', 'Mean frame', 'Steps to the answer'],
    ]);
    expect(textsOf(table)).toEqual([
      ['A', '90.0 %', '60.0 %', '70.0 %', '2.1'],
      ['B', '90.0 %', '80.0 %', '91.0 %', '1.2'],
    ]);
  });
});

it('the figure of accuracy by time step has the counts of every run as CSV', () => {
  const figure = drawLatency(results);
  expect(figure.data.slice(0, 3)).toEqual([
    ['model', 'seed', 'step', 'clips', 'correct', 'accuracy'],
    ['A', 2020, 1, 100, 20, 0.2],
    ['A', 2020, 2, 100, 60, 0.6],
  ]);
  expect(figure.data).toHaveLength(9);
  expect(spaced(figure.alt)).toContain('A: 20.0 % after step 1, 90.0 % in the end.');
});
