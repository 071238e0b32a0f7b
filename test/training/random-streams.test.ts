import { describe, expect, it } from 'vitest';
import { TorchRandom } from '../../src/snn/torch-random.ts';
import { drawEpochOrders, readSeed, wholeBatches } from '../../src/training/random-streams.ts';

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
