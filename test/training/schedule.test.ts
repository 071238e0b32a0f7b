import { describe, expect, it } from 'vitest';
import { TorchRandom } from '../../src/network/torch-random.ts';
import { cosineLearningRate, drawEpochOrders, readSeed, wholeBatches } from '../../src/training/schedule.ts';

it('falls from the initial rate to 0 over a period, and rises again over as many epochs', () => {
  const rates = [0, 16, 32, 48, 64, 128].map((epoch) => cosineLearningRate(0.001, 64, epoch));
  const half = Math.SQRT1_2; // cos of an eighth of a turn
  const expected = [0.001, 0.0005 * (1 + half), 0.0005, 0.0005 * (1 - half), 0, 0.001];
  for (const [i, rate] of rates.entries()) expect(rate).toBeCloseTo(expected[i]!, 15);
});

describe('drawEpochOrders', () => {
  it('draws the same training orders whatever the number of validation clips', () => {
    const orders = (validation: number) => {
      const random = new TorchRandom(2020);
      return [0, 1].map(() => [...drawEpochOrders(random, { train: 9, validation }).train]);
    };
    expect(orders(4)).toEqual(orders(156));
  });
});

describe('wholeBatches', () => {
  it('gives the rows at the places of an order, without its last partial batch', () => {
    const rows = Int32Array.of(10, 20, 30, 40, 50);
    expect([...wholeBatches(Int32Array.of(3, 0, 4, 2, 1), rows, 2)]).toEqual([40, 10, 50, 30]);
    expect([...wholeBatches(Int32Array.of(3, 0, 4, 2, 1), rows, 5)]).toEqual([40, 10, 50, 30, 20]);
    expect([...wholeBatches(Int32Array.of(3, 0, 4, 2, 1), rows, 6)]).toEqual([]);
  });
});

it.each(['2020', -1, 1.5, 2 ** 32, Number.NaN, true])('a seed of %s is rejected', (value) => {
  expect(() => readSeed(value)).toThrow('A seed must be a whole number from 0 to 4294967295');
});
