import os from 'node:os';
import process from 'node:process';
import { hasErrorCode } from '../../errors.ts';
import type { NativeNetwork } from './addon-types.ts';

/**
 * The memory that this process can still get, in bytes, leaving out what the system would free for it. On macOS, which reports hardly
 * any as free, it is everything that others have not been promised.
 */
export function availableMemory(): number {
  const used = process.memoryUsage.rss();
  // In a container this is its limit; elsewhere 0 or larger than any memory.
  const limit = process.constrainedMemory();
  const most = (limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem()) - used;
  return process.platform === 'darwin' ? most : Math.min(most, os.freemem());
}

/** The largest number of samples, at most `most`, whose need is within `available`; 0 if not even one fits. */
export function largestBatch(most: number, available: number, bytesFor: (samples: number) => number): number {
  let [fits, tooMany] = [0, most + 1];
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (bytesFor(middle) <= available) fits = middle;
    else tooMany = middle;
  }
  return fits;
}

/** The memory that a batch needs besides the parameters; infinite for more than can be counted. */
export function countBytes(
  network: Pick<NativeNetwork, 'bytesFor'>,
  samples: number,
  steps: number,
  training: boolean,
): number {
  try {
    return network.bytesFor(samples, steps, training);
  } catch (error) {
    if (hasErrorCode(error, 'PLIF_OUT_OF_MEMORY')) return Number.POSITIVE_INFINITY;
    throw error;
  }
}
