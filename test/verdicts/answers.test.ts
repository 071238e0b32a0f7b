import { describe, expect, test } from 'vitest';
import { findUnpaired, readAnswers, shareSeeds, sumCells } from '../../src/verdicts/answers.ts';

const HEAD = 'arm,seed,item,correct';
const read = (...rows: string[]) => readAnswers(rows.join('\n'), 'results.csv');

describe('a table of results', () => {
  test('has a row for each answer, in any order of columns, with others ignored', () => {
    const study = read('item,Arm,note,correct,seed', 'x,a,?,1,s1', 'y,a,?,0,s1', '');
    expect(study).toMatchObject({ isScore: false, hasGroups: false });
    expect([...study.arms.get('a')!.get('s1')!]).toEqual([
      ['x', 1],
      ['y', 0],
    ]);
  });

  test('may have been written by Python or a spreadsheet', () => {
    const study = readAnswers(`\ufeff${HEAD}\r\na,1,"x,1",True\r\na,1,y,False\r\n`, 'results.csv');
    expect([...study.arms.get('a')!.get('1')!.values()]).toEqual([1, 0]);
  });

  test('may have line ends of several systems, blank lines, and quotes and commas in cells', () => {
    const study = readAnswers(
      `${HEAD},note\r\na,1,"x ""1""",1,\na,1,y,1,5" screen\r\n\r\n  \n`,
      'results.csv',
    );
    expect([...study.arms.get('a')!.get('1')!.keys()]).toEqual(['x "1"', 'y']);
  });

  test('holds scores in a column "value"', () => {
    const study = read('arm,seed,item,value,group', 'a,1,x,-1.5e3,g', 'a,1,y,2,g');
    expect(study).toMatchObject({ isScore: true, hasGroups: true });
    expect(sumCells(study, ['1'], 'a')).toEqual({
      rows: [{ at: [0], sums: [-1498], counts: [2] }],
      ...{ groups: 1, items: 2, scale: 1024, rare: null },
    });
  });

  test.each([
    ['an empty file', [''], 'results.csv:1:1', 'column "arm" is missing; found "".'],
    ['no rows', [HEAD], 'results.csv:1:1', 'the table has no rows.'],
    ['another separator', ['arm;seed;item;correct', 'a;1;x;1'], 'results.csv:1:1', 'column "arm" is missing'],
    [
      'neither kind of value',
      ['arm,seed,item', 'a,1,x'],
      'results.csv:1:1',
      'expected one of the columns "correct" and "value", found neither.',
    ],
    ['both kinds', [`${HEAD},value`, 'a,1,x,1,1'], 'results.csv:1:1', 'found both'],
    ['an empty cell', [HEAD, 'a,1,x,1', 'a,,y,1'], 'results.csv:3:3', 'column "seed" is empty.'],
    ['a short row', [HEAD, 'a,1,x'], 'results.csv:2:5', 'expected 4 cells'],
    ['a comma in an item', [`${HEAD},group`, 'a,1,x,1,1,g'], 'results.csv:2:11', 'expected 5 cells'],
    ['a decimal comma', ['arm,seed,item,value', 'a,1,x,0,97'], 'results.csv:2:9', 'expected 4 cells'],
    [
      'a quote that is not closed',
      [`${HEAD},note`, 'a,1,x,1,', 'a,1,y,1,"5 inch', 'a,1,z,0,'],
      'results.csv:3:9',
      'starts with a quote and does not end with one',
    ],
    [
      'a quote that is closed by another one',
      [`${HEAD},note`, 'a,1,x,1,"5 inch', 'a,1,y,1,"6 inch"'],
      'results.csv:2:9',
      'starts with a quote and does not end with one',
    ],
    [
      'a column twice',
      [`${HEAD}, Correct`, 'a,1,x,1,0'],
      'results.csv:1:23',
      'two columns are called "correct".',
    ],
    [
      'a fault below a quoted line break',
      [`note,${HEAD}`, '"one\n""two""",a,1,x,1', '"one\r\ntwo",a,1,y,2'],
      'results.csv:5:12',
      'column "correct"',
    ],
    [
      'another answer',
      [HEAD, 'a,1,x,0.5'],
      'results.csv:2:7',
      'column "correct": expected 0 or 1, found "0.5".',
    ],
    [
      'an item twice',
      [HEAD, 'a,1,x,1', 'a,1,x,0'],
      'results.csv:3:5',
      'arm "a", seed "1" has item "x" twice.',
    ],
    [
      'an item of two groups',
      [`${HEAD},group`, 'a,1,x,1,g', 'b,1,x,1,h'],
      'results.csv:3:9',
      'item "x" is of group "h" here, and of "g" above.',
    ],
  ])('with %s is refused', (_, rows, where, message) => {
    expect(() => read(...rows)).toThrow(
      expect.objectContaining({ code: 'results-invalid', where, message: expect.stringContaining(message) }),
    );
  });

  test.each(['NaN', '-inf', '0x10', '1e999', '"0,97"', '1_000', '.'])(
    'with the score %s is refused',
    (value) => {
      expect(() => read('arm,seed,item,value', `a,1,x,${value}`)).toThrow(
        expect.objectContaining({
          where: 'results.csv:2:7',
          message: expect.stringContaining('"value": expected a number'),
        }),
      );
    },
  );

  test.each([
    ['-1.5e-3', -0.0015],
    ['.5', 0.5],
    ['+2.', 2],
    [' 1E2 ', 100],
  ])('may have the score %s', (text, value) => {
    const study = read('arm,seed,item,value', `a,1,x,${text}`);
    expect([...study.arms.get('a')!.get('1')!.values()]).toEqual([value]);
  });

  test.each(['01', '1.0', '1.', '+1', '1e0', '1.000e+00'])('takes seed, item and group %s for 1', (name) => {
    const twice = (column: string) =>
      read(`${HEAD},group`, 'a,1,1,1,1', `a,2,2,1,1`, `a,${column}`).arms.get('a')!.size;
    expect(() => twice(`${name},1,1,1`)).toThrow('seed "1" has item "1" twice');
    expect(() => twice(`1,${name},1,1`)).toThrow('seed "1" has item "1" twice');
    expect(twice(`2,1,1,${name}`)).toBe(2);
  });

  test('keeps names apart that are not the same whole number', () => {
    const names = [
      '1',
      '1.10',
      '1.1',
      '0x1',
      '1a',
      '12345678901234567890',
      '12345678901234567891',
      '-1',
      '1e400',
    ];
    const study = read(HEAD, ...names.map((name) => `a,${name},${name},1`));
    expect([...study.arms.get('a')!.keys()]).toEqual(names);
    expect([...study.groups.keys()]).toEqual(names);
  });

  test('names hostile cells harmlessly', () => {
    expect(() => read(HEAD, 'a,1,x,\u001b[2J')).toThrow('found "\\u001b[2J"');
  });
});

describe('arms that are compared', () => {
  const study = read(
    HEAD,
    'a,1,x,1',
    'a,1,y,1',
    'a,2,x,0',
    'b,1,y,0',
    'b,1,x,1',
    'b,3,x,1',
    'c,1,x,1',
    'd,9,x,1',
  );

  test('share the seeds that all have', () => {
    expect(shareSeeds(study, ['a', 'b'])).toEqual({ seeds: ['1'], others: 2 });
    expect(shareSeeds(study, ['a', 'd'])).toEqual({ seeds: [], others: 3 });
  });

  test('are paired by item', () => {
    // Item z, which only others answered, is none of theirs.
    expect(sumCells(study, ['1'], 'a', 'b')).toEqual({
      rows: [{ at: [0, 1], sums: [0, 1], counts: [1, 1] }],
      // All of one arm are right, half of the other.
      ...{ groups: 2, items: 2, scale: 1, rare: 0.5 },
    });
  });

  test.each([
    [['a', 'b'], null],
    [['a', 'c'], 'With seed "1", "c" has no item "y", which "a" has.'],
    [['c', 'b'], 'With seed "1", "c" has no item "y", which "b" has.'],
  ])('need the same items: %s', (arms, problem) => {
    expect(findUnpaired(study, ['1'], arms)).toBe(problem);
  });
});
