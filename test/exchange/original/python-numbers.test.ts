import { describe, expect, it } from 'vitest';
import { parsePythonFloat, parsePythonInt } from '../../../src/exchange/original/argument-table.ts';
import { formatPythonFloat } from '../../../src/exchange/original/preparation.ts';

describe('a float', () => {
  // As printed by Python 3's repr.
  it.each([
    [2, '2.0'],
    [0, '0.0'],
    [-0, '-0.0'],
    [0.1, '0.1'],
    [0.15, '0.15'],
    [-2.5, '-2.5'],
    [0.0001, '0.0001'],
    [0.00012345, '0.00012345'],
    [1e-5, '1e-05'],
    [1.25e-5, '1.25e-05'],
    [1e-7, '1e-07'],
    [5e-324, '5e-324'],
    [1e15, '1000000000000000.0'],
    [1e16, '1e+16'],
    [1.5e16, '1.5e+16'],
    [123456789012345680, '1.2345678901234568e+17'],
    [1e22, '1e+22'],
    [1e100, '1e+100'],
  ])('%s is printed as Python prints it: %s', (value, text) => {
    expect(formatPythonFloat(value)).toBe(text);
  });

  it.each([
    ['2', 2],
    ['2.', 2],
    ['.5', 0.5],
    ['+1e-3', 0.001],
    ['-0.5', -0.5],
    ['1E5', 1e5],
  ])('is read from %s', (text, value) => {
    expect(parsePythonFloat(text)).toBe(value);
  });

  it.each(['', '.', 'nan', 'inf', '1e999', '0x10', '1,5', 'two', '1e'])('is not read from "%s"', (text) => {
    expect(parsePythonFloat(text)).toBeUndefined();
  });
});

describe('a whole number', () => {
  it.each([
    ['20', 20],
    ['+7', 7],
    ['-3', -3],
    ['020', 20],
  ])('is read from %s', (text, value) => {
    expect(parsePythonInt(text)).toBe(value);
  });

  it.each(['', '2.0', '1e3', 'ten', '9007199254740993'])('is not read from "%s"', (text) => {
    expect(parsePythonInt(text)).toBeUndefined();
  });
});
