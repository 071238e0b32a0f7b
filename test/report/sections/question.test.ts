import { describe, expect, test } from 'vitest';
import { answerQuestion } from '../../../src/report/data/question.ts';
import type { ModelResult, Results, RunResult } from '../../../src/report/data/results.ts';
import { buildReport } from '../../../src/report/report.ts';
import { writeAnswer } from '../../../src/report/sections/answer.ts';
import { describeQuestion, listVerdicts } from '../../../src/report/sections/question.ts';
import { makeModelResult, makeResults, makeRunResult, plain, split, textsOf } from '../result-values.ts';

const USERS = 6;
const CLIPS = 20;

/** A model with so many wrong clips of each user's twenty, [seeds, users]. */
function modelWith(id: string, wrong: readonly (readonly number[])[], users = true): ModelResult {
  const runs = wrong.map((row, i) => {
    const answers = row.flatMap((count, user) =>
      Array.from({ length: CLIPS }, (_, clip) => {
        return { clip: user * CLIPS + clip, user: users ? 24 + user : null, class: 0, right: clip >= count };
      }),
    );
    return makeRunResult({ seed: 2020 + i, answers });
  });
  return makeModelResult({ id, title: id, runs });
}

const SEEDS = [2020, 2021, 2022];
const flat = (...wrong: number[]) =>
  SEEDS.map((_, seed) => wrong.map((count) => count + (seed === 0 ? 1 : 0)));
const baseline = modelWith('Baseline', flat(2, 2, 2, 2, 2, 2));
// Two or three of twenty clips more are wrong, for each seed and user.
const worse = modelWith('worse', flat(4, 5, 4, 5, 4, 5));
// One clip of 360 more and one fewer.
const alike = modelWith('alike', [
  [3, 3, 3, 3, 3, 3],
  [2, 2, 1, 2, 2, 2],
  [2, 2, 2, 2, 3, 2],
]);
// From two fewer to ten more, by user.
const unsure = modelWith('unsure', flat(0, 12, 2, 2, 0, 6));

const resultsOf = (models: readonly ModelResult[], overrides: Partial<Results> = {}) =>
  makeResults({ models, seeds: SEEDS, ...overrides });
const settings = { baseline: 'Baseline', margin: 0.02 };
const results = resultsOf([baseline, worse, alike, unsure]);
const question = answerQuestion(results, settings)!;

/** The paragraphs at the top of the page. */
const answerOf = (some: Results, margin = 0.02) =>
  writeAnswer(some, answerQuestion(some, { ...settings, margin })!).map((block) =>
    block.kind === 'paragraph' ? plain(block.text) : '',
  );

describe('the question of a profile', () => {
  test('is answered for each arm: different, equivalent or undecided', () => {
    expect(question.arms.map(({ model, verdict }) => [model.id, verdict])).toEqual([
      ['worse', 'different'],
      ['alike', 'equivalent'],
      ['unsure', 'undecided'],
    ]);
    expect(question.users).toBe(USERS);
    // 2.5 clips of 20 in every seed; users' means −2 and −3 of 20 by turns: mean square 3 · 6 · 0.5² / 5, in clips.
    const [arm] = question.arms;
    expect(arm?.difference).toBeCloseTo(-0.125, 12);
    expect(arm?.seeds).toEqual([-0.125, -0.125, -0.125]);
    expect(arm?.certainty?.degrees).toBeCloseTo(5, 8);
    expect(arm?.certainty?.error).toBeCloseTo(Math.sqrt((3 * 6 * 0.25) / 5 / 18) / CLIPS, 12);
    // Three arms: the smallest p counts three times.
    expect(arm?.certainty?.adjusted).toBeCloseTo(3 * arm!.certainty!.p, 12);
  });

  test('counts the users who gain and who lose, over all seeds', () => {
    expect(question.arms.map(({ sides }) => sides)).toEqual([
      { more: 0, fewer: 6 },
      { more: 1, fewer: 1 },
      { more: 2, fewer: 2 },
    ]);
    const still = resultsOf([modelWith('Baseline', flat(2, 2), false), modelWith('arm', flat(1, 2), false)]);
    expect(answerQuestion(still, settings)?.arms[0]?.sides).toBeNull();
  });

  test('has a second endpoint on the clips of some classes, by a margin of its own', () => {
    // Class 1 are the first ten clips of each user: all that is wrong is of them.
    const byClass = ({ runs, ...model }: ModelResult): ModelResult => ({
      ...model,
      runs: runs.map((run) => ({
        ...run,
        answers: run.answers.map((answer) => ({ ...answer, class: Number(answer.clip % CLIPS < 10) })),
      })),
    });
    const some = resultsOf([baseline, worse, alike].map(byClass), { classes: ['a', 'b'] });
    const second = { text: 'clips of b', classes: ['b'], margin: 0.04 };
    const found = answerQuestion(some, { ...settings, second })!;
    expect(found.second?.arms.map(({ model, verdict }) => [model.id, verdict])).toEqual([
      ['worse', 'different'],
      ['alike', 'equivalent'],
    ]);
    for (const [index, { difference }] of found.second!.arms.entries())
      expect(difference).toBeCloseTo(2 * found.arms[index]!.difference, 12);
    const paragraphs = writeAnswer(some, found).map((block) =>
      block.kind === 'paragraph' ? plain(block.text) : '',
    );
    expect(paragraphs[2]).toMatch(
      /^Second endpoint, accuracy on clips of b, with a margin of 4\.0 points\. worse is less accurate than Baseline, by more than 4\.0 points: −25\.0/,
    );
    expect(listVerdicts(found).second).toMatchObject({ classes: [1], margin: 0.04 });
    const figures = describeQuestion(some, found).blocks.flatMap((block) =>
      block.kind === 'figure' ? [block.figure] : [],
    );
    expect(figures.map(({ id, title }) => [id, title])).toEqual([
      ['question', 'Difference in test accuracy of the arms from Baseline'],
      ['question-second', 'Difference in test accuracy of the arms on clips of b from Baseline'],
    ]);
  });

  test('takes each clip for itself where there are no users, and says so', () => {
    const rows = flat(2, 2, 2, 2, 2, 2);
    const models = [modelWith('Baseline', rows, false), modelWith('b', flat(4, 5, 4, 5, 4, 5), false)];
    const found = answerQuestion(resultsOf(models), settings)!;
    expect(found.users).toBeNull();
    expect(answerOf(resultsOf(models))[2]).toMatch(
      /^120 clips, each tested by all three seeds of each of two models/,
    );
    const section = describeQuestion(resultsOf(models), found);
    expect(JSON.stringify(section)).toContain('for other seeds and other clips');
    expect(JSON.stringify(section)).toContain('Three seeds and the clips count as drawn at random');
  });

  test('takes users from the folds that the seeds test, whatever the order of their clips', () => {
    // Seeds 2020 and 2022 test users 24, 26 and 28, the other one 25, 27 and 29.
    const ofFold = ({ runs, ...model }: ModelResult) => ({
      ...model,
      runs: runs.map((run, seed) => {
        const answers = run.answers.filter(({ user }) => user! % 2 === seed % 2);
        return { ...run, answers: seed === 2 ? answers.toReversed() : answers };
      }),
    });
    const models = [
      baseline,
      modelWith('b', [
        [2, 0, 2, 0, 5, 0],
        [0, 4, 0, 6, 0, 2],
        [4, 0, 6, 0, 2, 0],
      ]),
    ];
    const found = answerQuestion(resultsOf(models.map(ofFold)), settings)!;
    expect(found.users).toBe(USERS);
    const [arm] = found.arms;
    expect(arm?.seeds).toEqual([0, -6 / 60, -6 / 60]);
    expect(arm?.difference).toBeCloseTo(-12 / 180, 12);
    // In clips, a cell deviates from −12 / 9: seeds by 4, −2 and −2, so 3 / 2 · 24 = 36; users by 5/3, −2/3, −1/3, −8/3, 2/3 and 4/3, so 15.2.
    // Within the fold of two seeds, ±1/2, ±3/2 and ±2 are left with 2 degrees of freedom: 9 cells · 13 / 2 = 58.5, more than both.
    expect(arm?.certainty?.error).toBeCloseTo(Math.sqrt(58.5) / 180, 12);
    expect(arm?.certainty?.degrees).toBeCloseTo(2, 8);
    expect(answerOf(resultsOf(models.map(ofFold)))[2]).toMatch(
      /^Six people with 120 clips, each tested by one to two of the three seeds/,
    );
  });

  test('stays undecided with a single seed', () => {
    const one = [baseline, worse].map((model) => ({ ...model, runs: model.runs.slice(0, 1) }));
    const found = answerQuestion(resultsOf(one, { seeds: [2020] }), settings)!;
    expect(found.arms[0]).toMatchObject({ verdict: 'undecided', certainty: null });
    expect(listVerdicts(found).arms).toEqual([
      { model: 'worse', difference: -0.125, low: null, high: null, verdict: 'undecided' },
    ]);
    const [, table] = describeQuestion(resultsOf(one, { seeds: [2020] }), found).blocks;
    expect(JSON.stringify(table)).toContain('One seed and six users count as drawn at random');
    expect(table?.kind === 'table' && textsOf(table.table)[0]?.slice(1, 4)).toEqual([
      '−12.5 points',
      '–',
      '–',
    ]);
  });

  test('is at the top of the report, and absent without the setting or without arms', () => {
    const options = { title: 'A run', question };
    expect(buildReport(results, options).answer).toEqual(writeAnswer(results, question));
    expect(buildReport(results, { title: 'A run' }).answer).toEqual([]);
    expect(buildReport(results, options).sections[0]).toMatchObject({
      id: 'question',
      title: 'The question',
    });
    // One comparison of the models, not two.
    const hasTable = (of: Results, asked: Partial<typeof options>) =>
      JSON.stringify(buildReport(of, { title: 'A run', ...asked })).includes('table-differences');
    expect(hasTable(results, options)).toBe(false);
    expect(hasTable(results, {})).toBe(true);
    expect(hasTable(resultsOf([baseline]), {})).toBe(false);
    expect(answerQuestion(results, undefined)).toBeNull();
    expect(answerQuestion(resultsOf([baseline]), settings)).toBeNull();
    expect(() => answerQuestion(resultsOf([worse]), settings)).toThrow(RangeError);
  });
});

describe('the answer at the top', () => {
  const flatModel = (id: string, ...wrong: number[]) => modelWith(id, flat(...wrong));
  const network = (per: string) => ({ channels: 64, layers: 3, neuron: 'plif', tau: { per } });
  const withRun = ({ runs, ...model }: ModelResult, overrides: Partial<RunResult>): ModelResult => ({
    ...model,
    runs: runs.map((run) => ({ ...run, ...overrides })),
  });

  test('is a sentence for each verdict, then on whom it rests, and what would change it', () => {
    expect(answerOf(results)).toEqual([
      'Does the accuracy differ?',
      'worse is less accurate than Baseline, by more than 2.0 points: −12.5 points (95 % interval −15.4 to −9.6 points). alike is as accurate as Baseline, within 2.0 points: 0.0 points (90 % interval −1.5 to +1.5 points). This run cannot tell whether unsure differs from Baseline by 2.0 points or more, or at all: −8.3 points (95 % interval −32.6 to +16.0 points).',
      'Six people with 120 clips, each tested by all three seeds of each of four models: 12 trainings. The profile states the margin of 2.0 points.',
      'What would change this. For unsure, this design finds a true difference of 43.5 points in four of five cases. If there is no difference, it shows equivalence within 2.0 points in 0.0 % of cases. A new run with more seeds or more people can show more; adding seeds to this one until it decides would find differences where there are none. Other networks, sizes or data may give another answer: this one is for 128 × 128 pixels, three epochs and DVS128 Gesture. If these networks do not need time, τ has little to do: evaluate.orders: [shuffled] shows it.',
    ]);
  });

  test('counts arms of one verdict if they are many, and names the ends', () => {
    const many = (one: ModelResult) => ['a', 'b', 'c', 'd'].map((id) => ({ ...one, id, title: id }));
    const verdicts = (...models: ModelResult[]) => answerOf(resultsOf([baseline, ...models]))[1];
    expect(verdicts(...many(alike))).toMatch(
      /^All four arms are as accurate as Baseline, within 2\.0 points: 0\.0 \(a\) to 0\.0 points \(d\), 90 % intervals from −1\.5 to \+1\.5 points\.$/,
    );
    expect(verdicts(...many(unsure))).toMatch(
      /^This run cannot tell whether any of the four arms differs from/,
    );
    expect(verdicts(flatModel('better', 0, 0, 0, 0, 0, 1), ...many(unsure))).toMatch(
      /\. This run cannot tell whether the other four arms differ from/,
    );
    expect(verdicts(flatModel('τ per channel', 4, 5, 4, 5, 4, 5))).toMatch(/^τ per channel is less accurate/);
  });

  test('says how differences compare with the margin where that is the same for all', () => {
    const further = modelWith('further', [
      [15, 15, 15, 15, 15, 15],
      [15, 15, 14, 15, 15, 15],
      [15, 15, 15, 15, 14, 15],
    ]);
    const sizeAt = (margin: number, ...arms: ModelResult[]) =>
      /Baseline(.*?): /.exec(answerOf(resultsOf([baseline, ...arms]), margin)[1]!)?.[1];
    expect(sizeAt(0.02, worse)).toBe(', by more than 2.0 points');
    expect(sizeAt(0.12, worse)).toBe('');
    expect(sizeAt(0.2, worse)).toBe(', by less than 20.0 points');
    expect(sizeAt(0.2, worse, further)).toBe('');
  });

  test('calls simulated recordings and people so', () => {
    const simulated = answerOf(resultsOf([baseline, alike], { simulated: true }));
    expect(simulated[1]).toMatch(/^On simulated recordings, alike is as accurate as/);
    expect(simulated[2]).toMatch(/^Six simulated people with 120 clips/);
    expect(simulated[3]).toContain('and simulated recordings.');
  });

  test('of an equivalent arm names the scale, and what shuffled frames cost', () => {
    const changeOf = (overrides: Partial<RunResult>) =>
      answerOf(resultsOf([baseline, alike].map((model) => withRun(model, overrides))))[3];
    expect(changeOf({ network: network('layer') })).toBe(
      'What would change this. Other networks, sizes or data may give another answer: this one is for three convolutional layers of 64 channels, 128 × 128 pixels, three epochs and DVS128 Gesture. If these networks do not need time, τ has little to do: evaluate.orders: [shuffled] shows it.',
    );
    expect(changeOf({ orders: { shuffled: split(78, 100) } })).toMatch(
      /With shuffled frames, the accuracy of Baseline changes by −12\.0 points; where that is little, the networks hardly use time, and τ has little to do\.$/,
    );
    expect(changeOf({ orders: { shuffled: split(90, 100) } })).toMatch(/changes by 0\.0 points; /);
  });

  test('of a difference with learned τ per neuron asks for the arm that does not learn them', () => {
    const learned = withRun(worse, { network: network('neuron') });
    const fixed = withRun(alike, { network: network('neuron'), training: { tauRate: 0 } });
    expect(answerOf(resultsOf([baseline, learned]))[3]).toMatch(
      /Whether τ have to be learned would show in the arm fixed-spread\.$/,
    );
    expect(answerOf(resultsOf([baseline, learned, fixed]))[3]).toMatch(
      /shows where they differ but are not learned: alike \(equivalent, 0\.0 points\)\. The learned and the fixed ones are not compared with each other\.$/,
    );
    expect(answerOf(resultsOf([baseline, worse]))[3]).not.toContain('learned');
  });

  test('of learned τ per neuron says nothing where an arm is compared with such a model', () => {
    const [own, learned] = [alike, worse].map((model) => withRun(model, { network: network('neuron') }));
    const some = resultsOf([baseline, own!, learned!]);
    const asked = answerQuestion(some, { ...settings, against: { worse: 'alike' } })!;
    expect(asked.arms.map(({ model, baseline: { id } }) => [model.id, id])).toEqual([
      ['alike', 'Baseline'],
      ['worse', 'alike'],
    ]);
    const { arms } = answerQuestion(resultsOf([own!, learned!]), { baseline: 'alike', margin: 0.02 })!;
    expect(asked.arms[1]?.difference).toBe(arms[0]?.difference);
    expect(listVerdicts(asked).arms.map((arm) => arm.baseline)).toEqual([undefined, 'alike']);
    const [, said, , change] = writeAnswer(some, asked).map((block) =>
      block.kind === 'paragraph' ? plain(block.text) : '',
    );
    expect(said).toMatch(/worse is less accurate than alike/);
    expect(said).toMatch(/alike is as accurate as Baseline/i);
    expect(change).not.toContain('learned');
    const table = describeQuestion(some, asked).blocks.find((block) => block.kind === 'table');
    expect(table?.table.caption).toMatch(
      /^Difference in test accuracy from the models that they are compared with/,
    );
    expect(textsOf(table!.table).map(([arm, compared]) => [arm, compared])).toEqual([
      ['alike', 'Baseline'],
      ['worse', 'alike'],
    ]);
  });

  test('of two seeds and two users says that no difference is large enough to be found', () => {
    const of = (id: string, rows: number[][]) => modelWith(id, rows);
    const some = [
      of('Baseline', [
        [2, 2],
        [2, 2],
      ]),
      of('b', [
        [2, 12],
        [4, 0],
      ]),
    ];
    const two = resultsOf(some, { seeds: SEEDS.slice(0, 2) });
    const found = answerQuestion(two, settings)!;
    expect(found.arms[0]?.certainty).toMatchObject({ degrees: 1, detectable: null });
    const [, , design, change] = answerOf(two);
    expect(design).toMatch(/^Two people with 40 clips, each tested by both seeds of each of two models/);
    expect(change).toContain(
      'For b, this design finds even the largest possible difference in fewer than four of five cases.',
    );
    const table = describeQuestion(two, found).blocks.find((block) => block.kind === 'table');
    expect(textsOf(table!.table)[0]).toContain('none');
  });

  test('of undecided arms says what the design finds, and warns of adding seeds', () => {
    const bySeed = modelWith('by seed', [
      [3, 2, 3, 2, 3, 3],
      [2, 3, 2, 2, 3, 2],
      [4, 3, 3, 4, 3, 3],
    ]);
    expect(answerOf(resultsOf([baseline, bySeed]))[3]).toMatch(
      /^What would change this\. For by seed, this design finds a true difference of [\d.]+ points in four of five cases\. If there is no difference, it shows equivalence within 2\.0 points in [\d.]+ % of cases\. A new run with more seeds or more people can show more; adding seeds to this one until it decides would find differences where there are none\.$/,
    );
    expect(answerOf(resultsOf([baseline, bySeed, unsure]))[3]).toMatch(
      /For unsure, the least certain arm, this design/,
    );
    const one = [baseline, worse].map((model) => ({ ...model, runs: model.runs.slice(0, 1) }));
    expect(answerOf(resultsOf(one, { seeds: [2020] }))[3]).toMatch(
      /^What would change this\. More seeds or people:/,
    );
  });
});

describe('the figure and the table', () => {
  test('have a row for each arm, with the power of the design', () => {
    const { blocks } = describeQuestion(results, question);
    const table = blocks.flatMap((block) => (block.kind === 'table' ? [block.table] : []))[0]!;
    // The error is √(0.9 / 18) / 20 = 1.118 points; t(0.975, 5) = 2.5706, t(0.95, 5) = 2.0150.
    expect(textsOf(table)[0]?.slice(0, 4)).toEqual([
      'worse',
      '−12.5 points',
      '−15.4 to −9.6',
      '−14.8 to −10.2',
    ]);
    expect(textsOf(table).map((row) => row[6])).toEqual(['different', 'equivalent', 'undecided']);
  });
});
