import { describe, expect, it } from 'vitest';
import { TorchRandom } from '../../src/snn/torch-random.ts';
import { drawEpochOrders, wholeBatches } from '../../src/training/order.ts';
import { loadGolden } from '../support/golden.ts';

describe('drawEpochOrders', () => {
  it('gives the orders of the original data loaders, epoch after epoch', () => {
    const golden = loadGolden('data_order');
    const random = new TorchRandom(2020);
    for (const epoch of [0, 1, 2]) {
      const expected = (part: string) =>
        [...(golden.tensors.get(`epoch${epoch}/${part}`)?.data ?? [])].map(Number);
      // 50 and 17 clips in batches of 8: the original drops the last 2 and the last one.
      const { train, validation } = drawEpochOrders(random, { train: 50, validation: 17 });
      expect([...train.subarray(0, 48)]).toEqual(expected('train'));
      expect([...validation.subarray(0, 16)]).toEqual(expected('val'));
    }
  });

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
