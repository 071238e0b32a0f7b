import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findClosest, suggestName } from '../../src/schema/closest-name.ts';

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
    expect(findClosest('nur', ['run', 'cmd'])).toBeUndefined();
    expect(findClosest('cdm', ['run', 'cmd'])).toBe('cmd');
  });

  test('is the first of several that are equally close', () => {
    expect(findClosest('run3', ['run1', 'run2'])).toBe('run1');
  });

  test('never differs by more than three letters, and is never the name itself', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (name, known) => {
        const closest = findClosest(name, known);
        if (closest === undefined) return;
        expect(closest).not.toBe(name);
        expect(Math.abs(closest.length - name.length)).toBeLessThanOrEqual(3);
      }),
      { seed: 2020 },
    );
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
