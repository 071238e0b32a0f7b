import { describe, expect, it } from 'vitest';
import { TorchRandom } from '../../src/snn/torch-random.ts';
import { drawEpochOrder } from '../../src/training/order.ts';
import { loadGolden } from '../support/golden.ts';

describe('drawEpochOrder', () => {
  it('gives the order of the original data loaders, epoch after epoch', () => {
    const golden = loadGolden('data_order');
    const random = new TorchRandom(2020);
    for (const epoch of [0, 1, 2]) {
      const expected = [...(golden.tensors.get(`epoch${epoch}/train`)?.data ?? [])].map(Number);
      // 50 clips in batches of 8: the original drops the last 2.
      expect([...drawEpochOrder(random, 50).subarray(0, 48)]).toEqual(expected);
    }
  });
});
