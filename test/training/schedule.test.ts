import { expect, it } from 'vitest';
import { cosineLearningRate } from '../../src/training/schedule.ts';

it('falls from the initial rate to 0 over a period, and rises again over as many epochs', () => {
  const rates = [0, 16, 32, 48, 64, 128].map((epoch) => cosineLearningRate(0.001, 64, epoch));
  const half = Math.SQRT1_2; // cos of an eighth of a turn
  const expected = [0.001, 0.0005 * (1 + half), 0.0005, 0.0005 * (1 - half), 0, 0.001];
  for (const [i, rate] of rates.entries()) expect(rate).toBeCloseTo(expected[i]!, 15);
});
