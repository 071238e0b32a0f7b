import { describe, expect, test } from 'vitest';
import { chooseClips } from '../../../../src/report/explorable/make/payload.ts';

const clipsOf = (...classes: readonly number[]) => classes.map((label) => ({ class: label }));

const choose = (
  classes: { readonly train: readonly number[]; readonly test: readonly number[] },
  answers: readonly (readonly number[])[],
  trained: readonly number[] = [...classes.train.keys()],
) =>
  chooseClips({
    splits: { train: clipsOf(...classes.train), test: clipsOf(...classes.test) },
    classes: ['wave', 'clap'],
    ...{ test: [...classes.test.keys()], answers: answers.map((each) => new Map(each.entries())), trained },
  });
const rowsOf = (chosen: ReturnType<typeof choose>, of: string) =>
  chosen.filter(({ role }) => role === of).map(({ row }) => row);

describe('the clips of the page', () => {
  test('begin with the first test clip of each class, by class, with each model’s answer', () => {
    const chosen = choose({ train: [], test: [1, 1, 0] }, [
      [1, 0, 0],
      [1, 0, 1],
    ]);
    expect(chosen.slice(0, 2)).toEqual([
      { row: 2, split: 'test', role: 'example', class: 0, answers: [0, 1] },
      { row: 0, split: 'test', role: 'example', class: 1, answers: [1, 1] },
    ]);
  });

  test('have no example of a class without test clips', () => {
    expect(rowsOf(choose({ train: [], test: [1] }, [[1]]), 'example')).toEqual([0]);
  });

  test('go on with those on which models disagree, in the order of the rows, at most twelve', () => {
    const test = new Array<number>(30).fill(0);
    const second = test.map((_, row) => (row % 2 === 0 ? 1 : 0));
    // Row 0 is an example already.
    expect(rowsOf(choose({ train: [], test }, [test, second]), 'disagreement')).toEqual([
      2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24,
    ]);
    expect(rowsOf(choose({ train: [], test }, [test]), 'disagreement')).toEqual([]);
  });

  test('have three training clips of each class, spread over those that networks learned from', () => {
    const train = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1];
    const chosen = choose({ train, test: [] }, [[]], [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    // Of class 0, the learned rows are 0 2 3 4 5 6: numbers 0, 2 and 4 of them. Of class 1, half a step further: 1, 3 and 5.
    expect(rowsOf(chosen, 'training')).toEqual([0, 3, 5, 8, 10, 12]);
    expect(chosen[0]).toEqual({
      row: 0,
      split: 'train',
      role: 'training',
      class: 0,
      answers: [],
    });
  });

  test('end with two test clips of each class that are not shown, spread over the rest', () => {
    const test = [0, 0, 0, 0, 0, 0, 1, 1];
    const second = [0, 1, 0, 0, 0, 0, 1, 1];
    // Row 1 is a disagreement; of class 0, 2 3 4 5 are left: numbers 0 and 2 of them. Of class 1, only one is left.
    expect(rowsOf(choose({ train: [], test }, [test, second]), 'held-out')).toEqual([2, 4, 7]);
  });
});
