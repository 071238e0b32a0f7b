import { describe, expect, it } from 'vitest';
import { readSeed, warnOfSeed } from '../../src/training/seed.ts';

describe('a seed', () => {
  it.each(['2020', -1, 1.5, 2 ** 53, Number.NaN, true])('is rejected if it is %s', (value) => {
    expect(() => readSeed(value)).toThrow('A seed must be a whole number of at least 0');
  });

  it('of more than 32 bits is accepted with a warning that names the equivalent one', () => {
    expect(warnOfSeed(2 ** 32 - 1)).toBeUndefined();
    expect(warnOfSeed(readSeed(2 ** 32 + 2020))).toContain('is the same as seed 2020');
  });
});
