import { describe, expect, it } from 'vitest';
import {
  compareRuns,
  diffSettings,
  nameAnswers,
  type RunResults,
  settingsOf,
} from '../../../src/report/comparison/compare.ts';
import { readTestAnswers } from '../../../src/results/predictions.ts';
import { resultFile } from '../../results/examples.ts';

/** Answers to clips `c0`, `c1`, …, of two users in turn. */
const answersOf = (right: readonly (0 | 1)[], prefix = 'c') =>
  new Map(right.map((one, i) => [`${prefix}${i}`, { user: i % 2, isRight: one === 1 }]));

let nextRun = 0;

const makeRun = (run: Partial<RunResults> = {}): RunResults => ({
  model: 'baseline',
  seed: '2020',
  settings: new Map(),
  answers: answersOf([1, 0]),
  metrics: {},
  run: `run ${nextRun++}`,
  data: { frames: 'f', recordings: 'r' },
  ...run,
});

/** Networks by model and seed: `a1 b2`. */
const named = (names: string) =>
  names.split(' ').map((name) => makeRun({ model: name.slice(0, 1), seed: name.slice(1) }));

describe('networks are compared', () => {
  it.each([
    ['with that of the same model and seed', 'a1 b1 b2', 'b2 a1', ['a1a1', 'b2b2']],
    ['with that of the same seed, if both lists are of one model', 'a1 a2', 'b2 b1', ['a1b1', 'a2b2']],
    ['with that of the same model, if both lists are of one seed', 'a1 b1', 'b2 a2', ['a1a2', 'b1b2']],
    ['one with one, whatever they are', 'a1', 'b2', ['a1b2']],
  ])('%s', (_, a, b, expected) => {
    const { pairs } = compareRuns(named(a), named(b));
    expect(pairs.map((pair) => pair.a.model + pair.a.seed + pair.b.model + pair.b.seed)).toEqual(expected);
  });

  it('and those without a counterpart are listed', () => {
    const { pairs, onlyA, onlyB } = compareRuns(named('a1 b2'), named('a1 c3'));
    const models = [onlyA, onlyB].map((runs) => runs.map(({ model }) => model));
    expect([pairs.length, ...models]).toEqual([1, ['b'], ['c']]);
  });
});

describe('the difference of two sides', () => {
  const side = (model: string, ...answers: readonly (0 | 1)[][]) =>
    answers.map((right, i) => makeRun({ model, seed: `${i}`, answers: answersOf(right) }));
  const compare = (a: readonly RunResults[], b: readonly RunResults[]) => compareRuns(a, b).differences;

  it('over one seed is for these trainings and other people', () => {
    // User 0 gains two of two, user 1 one: 1 and 0.5, mean 0.75, error 0.25 with one degree of freedom.
    const [found] = compare(side('a', [0, 0, 0, 1]), side('b', [1, 1, 1, 1]));
    expect(found).toMatchObject({
      problem: '',
      measured: {
        difference: 0.75,
        design: 'two users, for these trainings',
        certainty: { error: 0.25, degrees: 1 },
      },
    });
    // t = 3: p = 1 − 2 · arctan(3) / π.
    expect(found?.measured?.certainty?.p).toBeCloseTo(1 - (2 * Math.atan(3)) / Math.PI, 12);
  });

  it('over several seeds is for other seeds, too, in one table', () => {
    const found = compare(side('a', [0, 0], [0, 1]), side('b', [1, 0], [1, 1]));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ measured: { difference: 0.5, design: 'two seeds and two users' } });
  });

  it('is of common clips, and of clips that stand for themselves where there are no users', () => {
    const alone = (right: readonly (0 | 1)[]) =>
      makeRun({ answers: new Map(right.map((one, i) => [`c${i}`, { user: null, isRight: one === 1 }])) });
    const [found] = compare([alone([0, 0, 1])], [alone([1, 0])]);
    expect(found).toMatchObject({ measured: { difference: 0.5, design: '2 clips, for these trainings' } });
  });

  it('has neither interval nor p where it is the same everywhere', () => {
    expect(compare(side('a', [0, 0]), side('b', [1, 1]))[0]).toMatchObject({
      measured: { difference: 1, certainty: null, pHolm: null },
    });
  });

  it('is corrected for the number of differences', () => {
    const sides = (right: readonly (0 | 1)[]) => ['x', 'y'].flatMap((model) => side(model, [...right]));
    const found = compare(sides([0, 0, 0, 1]), sides([1, 1, 1, 1]));
    expect(found.map(({ measured }) => measured!.pHolm! / measured!.certainty!.p)).toEqual([2, 2]);
  });

  const same = makeRun();
  it.each<readonly [string, readonly RunResults[], readonly RunResults[], string]>([
    ['the same run', [same], [same], 'A and B are the same run'],
    ['answers that are gone', [makeRun({ answers: null })], [makeRun()], 'no longer kept'],
    [
      'no clip in common',
      side('a', [1]),
      [makeRun({ answers: answersOf([1], 'd') })],
      'no test clip in common',
    ],
    ...(
      [
        ['the same frames', { frames: 'f', recordings: null }, ''],
        ['other frames of the same recordings', { frames: 'g', recordings: 'r' }, ''],
        ['other recordings with the same names', { frames: 'g', recordings: 's' }, 'on different recordings'],
        ['frames of unknown recordings', { frames: 'g', recordings: null }, 'perhaps tested on different'],
        ['nothing that is known', { frames: null, recordings: null }, 'perhaps tested on different'],
      ] as const
    ).map(([name, data, problem]) => [name, [makeRun()], [makeRun({ data })], problem] as const),
  ])('says why there is none: %s', (_, a, b, problem) => {
    const [found] = compare(a, b);
    expect(found?.problem).toContain(problem);
    expect(found?.measured === null).toBe(problem !== '');
  });

  it('does not average trainings with other settings, unless the engine differs, or the people of folds', () => {
    const trained = (model: string, ...all: readonly Readonly<Record<string, string>>[]) =>
      all.map((settings, i) => makeRun({ model, seed: `${i}`, settings: new Map(Object.entries(settings)) }));
    const problemOf = (...all: readonly Readonly<Record<string, string>>[]) =>
      compare(trained('a', ...all), trained('b', ...all))[0]?.problem;
    expect(problemOf({ 'training.epochs': '32' }, { 'training.epochs': '3' })).toContain('training.epochs');
    expect(problemOf({ 'engine.name': 'native' }, { 'engine.name': 'tfjs' })).toBe('');
    expect(
      problemOf(
        { 'split.test': '2', 'split.testUsers': '[1,2]' },
        { 'split.test': '1', 'split.testUsers': '[3]' },
      ),
    ).toBe('');
  });
});

describe('what a run left', () => {
  it('settings are listed by name, and compared as values', () => {
    const text = (epochs: number, extra: object = {}) =>
      JSON.stringify({
        ...{ version: 1, training: { epochs, ...extra }, network: { input: [2, 8, 8] }, best: { epoch: 3 } },
      });
    const read = (one: string) => settingsOf(resultFile('run.json', one));
    const [a, b] = [read(text(3)), read(text(4, { testEvery: 2 }))];
    expect([...a.keys()]).toEqual(['network.input', 'train.epochs']);
    expect(diffSettings(a, b)).toEqual([
      { name: 'train.epochs', a: '3', b: '4' },
      { name: 'train.testEvery', a: null, b: '2' },
    ]);
  });

  it('clips are known by recording, class and their number in it', () => {
    const head = 'split,clip,recording,user,light,class,predicted\n';
    const rows = [
      'test,0,r1,1,led,8,8',
      'validation,0,r0,1,led,8,8',
      'test,1,r1,1,led,8,2',
      'test,2,r2,1,led,8,8',
    ];
    expect([...nameAnswers(readTestAnswers(resultFile('f', `${head}${rows.join('\n')}\n`)))]).toEqual([
      ['r1 class 8 0', { user: 1, isRight: true }],
      ['r1 class 8 1', { user: 1, isRight: false }],
      ['r2 class 8 0', { user: 1, isRight: true }],
    ]);
  });
});
