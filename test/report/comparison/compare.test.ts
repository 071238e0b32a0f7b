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

/** Answers to clips `c0`, `c1`, … */
const answersOf = (right: readonly (0 | 1)[], prefix = 'c') =>
  new Map(right.map((one, i) => [`${prefix}${i}`, one === 1]));

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

describe('a comparison on clips', () => {
  it('counts clips that only one got right, in common clips, and tests them exactly', () => {
    // Of 10 clips, B alone has 6 right and A alone 1: 2 · (1 + 7) / 2⁷ = 0.125.
    const a = makeRun({ answers: answersOf([1, 0, 0, 0, 0, 0, 0, 1, 1, 0]) });
    const b = makeRun({ answers: answersOf([0, 1, 1, 1, 1, 1, 1, 1, 1, 0]) });
    const [pair] = compareRuns([a], [b]).pairs;
    expect(pair?.clips).toMatchObject({
      rightA: 3,
      rightB: 8,
      common: 10,
      onlyA: 1,
      onlyB: 6,
      p: expect.closeTo(0.125, 12),
      pHolm: expect.closeTo(0.125, 12),
      difference: 0.5,
      interval: 'paired',
    });
    // Agresti and Min: centre 5 / 12, reach 1.96 · √(7 + 1 − 12 · (5 / 12)²) / 12.
    expect(pair?.clips?.low).toBeCloseTo(5 / 12 - (1.959964 * Math.sqrt(8 - 25 / 12)) / 12, 6);
    expect(pair?.clips?.high).toBeCloseTo(5 / 12 + (1.959964 * Math.sqrt(8 - 25 / 12)) / 12, 6);
  });

  it('has an interval for independent clips, and no test, if none is common', () => {
    // Newcombe 1998, Table II (a): 56/70 and 48/80, method 10: 0.0524 to 0.3339.
    const shares = (right: number, all: number, prefix: string) =>
      answersOf(
        Array.from({ length: all }, (_, i) => (i < right ? 1 : 0)),
        prefix,
      );
    const a = makeRun({ answers: shares(48, 80, 'x') });
    const b = makeRun({ answers: shares(56, 70, 'y') });
    const clips = compareRuns([a], [b]).pairs[0]?.clips;
    expect(clips).toMatchObject({ sameData: true, common: 0, p: null, interval: 'independent' });
    expect(clips?.difference).toBeCloseTo(0.2, 12);
    expect(clips?.low).toBeCloseTo(0.0524, 4);
    expect(clips?.high).toBeCloseTo(0.3339, 4);
  });

  it.each([
    ['the same frames', { frames: 'f', recordings: null }, true],
    ['other frames of the same recordings', { frames: 'g', recordings: 'r' }, true],
    ['other recordings with the same names', { frames: 'g', recordings: 's' }, false],
    ['frames of unknown recordings', { frames: 'g', recordings: null }, null],
    ['nothing that is known', { frames: null, recordings: null }, null],
  ])('pairs clips only of the same data: %s', (_, data, sameData) => {
    const answers = answersOf([1, 1, 1, 1, 1, 1]);
    const a = makeRun({ answers: answersOf([0, 0, 0, 0, 0, 0]) });
    const clips = compareRuns([a], [makeRun({ answers, data })]).pairs[0]?.clips;
    expect(clips).toMatchObject(
      sameData === true
        ? { sameData, common: 6, onlyB: 6, p: expect.closeTo(0.03125, 12), interval: 'paired' }
        : { sameData, common: 0, onlyB: 0, p: null, pHolm: null, interval: 'independent' },
    );
  });

  it('corrects for the number of pairs', () => {
    // p = 2 / 2⁶ = 0.03125 in both: twice that after Holm.
    const b = answersOf([1, 1, 1, 1, 1, 1]);
    const a = answersOf([0, 0, 0, 0, 0, 0]);
    const sides = (answers: typeof a) => ['1', '2'].map((seed) => makeRun({ seed, answers }));
    const { pairs } = compareRuns(sides(a), sides(b));
    expect(pairs.map(({ clips }) => [clips?.p, clips?.pHolm])).toEqual([
      [expect.closeTo(0.03125, 12), expect.closeTo(0.0625, 12)],
      [expect.closeTo(0.03125, 12), expect.closeTo(0.0625, 12)],
    ]);
  });

  it('is left out if the answers of one are gone', () => {
    expect(compareRuns([makeRun({ answers: null })], [makeRun()]).pairs[0]?.clips).toBeNull();
  });
});

it('accuracies over seeds are compared by a paired t test', () => {
  const side = (model: string, values: readonly number[]) =>
    values.map((value, i) =>
      makeRun({ model, seed: String(i), metrics: { 'evaluate.testAccuracy': value } }),
    );
  const { seeds } = compareRuns(side('a', [0.9, 0.92, 0.91]), side('b', [0.93, 0.93, 0.96]));
  // Differences 0.03, 0.01, 0.05: mean 0.03, s = 0.02, t = 0.03 / (0.02 / √3) = 2.598 with 2 degrees of freedom.
  expect(seeds).toHaveLength(1);
  expect(seeds[0]?.accuracy?.mean).toBeCloseTo(0.03, 12);
  expect(seeds[0]?.accuracy?.p).toBeCloseTo(0.1217, 4);
});

it('networks of one model that were trained with other settings are not taken together over seeds', () => {
  const side = (model: string, epochs: readonly number[], engines = ['native', 'native']) =>
    epochs.map((value, i) =>
      makeRun({
        model,
        seed: String(i),
        settings: new Map([
          ['training.epochs', String(value)],
          ['engine.name', engines[i] ?? ''],
        ]),
        metrics: { 'evaluate.testAccuracy': 0.5 + value / 100 },
      }),
    );
  const { seeds } = compareRuns(side('a', [32, 3]), side('b', [32, 3]));
  expect(seeds).toMatchObject([{ seeds: ['0', '1'], differing: ['training.epochs'], accuracy: null }]);
  const { seeds: others } = compareRuns(side('a', [32, 32], ['native', 'tfjs']), side('b', [16, 16]));
  expect(others).toMatchObject([{ differing: [], accuracy: { mean: expect.closeTo(-0.16, 12) } }]);
});

it('with folds of users, seeds that test other people are taken together', () => {
  const side = (model: string) =>
    ['[1,2]', '[3]'].map((users, i) =>
      makeRun({
        ...{ model, seed: String(i), metrics: { 'evaluate.testAccuracy': 0.5 + i / 10 } },
        settings: new Map([
          ['split.test', String(2 - i)],
          ['split.testUsers', users],
        ]),
      }),
    );
  expect(compareRuns(side('a'), side('b')).seeds).toMatchObject([{ seeds: ['0', '1'], differing: [] }]);
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
      ['r1 class 8 0', true],
      ['r1 class 8 1', false],
      ['r2 class 8 0', true],
    ]);
  });
});
