import { expect, test } from 'vitest';
import { Problems } from '../../../src/data/contract/problems.ts';

test('the rarest problem that names a place comes first, and long lists are folded', () => {
  const problems = new Problems();
  for (let i = 1; i <= 98; i++) problems.addName('files are missing', `f${i}`);
  problems.addName('files are odd', 'g', 'for the log');
  for (let i = 1; i <= 4; i++) problems.addPlace('files are cut off', `h${i}: byte 3`);
  problems.addPlace('rows are invalid', 'k.csv:3:3  no number');
  expect(problems.lines()).toEqual([
    'rows are invalid (1):',
    '  k.csv:3:3  no number',
    'files are cut off (4, the first 3):',
    '  h1: byte 3',
    '  h2: byte 3',
    '  h3: byte 3',
    'files are odd (1): g',
    'files are missing (98): f1, f2, f3, f4, f5 and 93 more',
  ]);
  const log: string[] = [];
  const error = { where: 'data', what: 'It', fix: 'Fix it.', log: (line: string) => log.push(line) };
  expect(() => problems.throwIfAny(error)).toThrow(
    expect.objectContaining({ code: 'data-corrupt', where: 'data', fix: 'Fix it.' }),
  );
  expect(log).toHaveLength(104);
  expect(log.slice(0, 2)).toEqual([
    'rows are invalid: k.csv:3:3  no number',
    'files are cut off: h1: byte 3',
  ]);
  expect(log).toContain('files are odd: g  for the log');
});

test('without problems nothing is thrown', () => {
  expect(() => new Problems().throwIfAny({ where: 'data', what: 'It', fix: '' })).not.toThrow();
});
