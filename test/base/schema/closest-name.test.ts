import { describe, expect, test } from 'vitest';
import { findClosest, suggestName } from '../../../src/base/schema/closest-name.ts';

describe('the closest name', () => {
  const keys = ['epochs', 'batchSize', 'learningRate', 'network', 'gpu'];

  test.each([
    ['epoch', 'epochs'],
    ['batch_size', 'batchSize'],
    ['BATCHSIZE', 'batchSize'],
    ['learnignRate', 'learningRate'],
    ['cpu', 'gpu'],
  ])('for "%s" is "%s"', (name, expected) => {
    expect(findClosest(name, keys)).toBe(expected);
  });

  test('is undefined if nothing is close enough', () => {
    for (const name of ['momentum', 'x', 'size', 'net', 'rate'])
      expect(findClosest(name, keys)).toBeUndefined();
  });

  test('finds swapped letters', () => {
    expect(findClosest('tarin', ['train', 'frames'])).toBe('train');
    expect(findClosest('rnu', ['run', 'cmd'])).toBe('run');
    expect(findClosest('nur', ['run', 'cmd'])).toBe('run');
    expect(findClosest('cdm', ['run', 'cmd'])).toBe('cmd');
  });

  test('gives way to the whole list if that is short', () => {
    expect(suggestName('momentum', ['a', 'b'])).toBe('Known: "a", "b".');
    expect(suggestName('momentum', [])).toBeUndefined();
    expect(
      suggestName(
        'momentum',
        Array.from({ length: 13 }, (_, index) => `k${index}`),
      ),
    ).toBeUndefined();
  });
});
