import { expect, it } from 'vitest';
import { stepStatistics } from '../../../../src/engines/tfjs/kernels/batch-norm.ts';
import '../../../support/all-close.ts';
import { randomArray, randomNumbers } from '../../../support/random.ts';

it.each([0, 1, 1000])('gives mean and variance of each step and channel around a mean of %d', (centre) => {
  const [steps, rows, channels] = [2, 300, 3];
  const y = randomArray(steps * rows * channels, randomNumbers(1), (u) => centre + (u - 0.5) / 3);
  const { mean, variance } = stepStatistics(y, { steps, channels, epsilon: 1e-5 });
  for (let step = 0; step < steps; step++) {
    for (let channel = 0; channel < channels; channel++) {
      const values = Array.from({ length: rows }, (_, row) => y[(step * rows + row) * channels + channel]!);
      const average = values.reduce((sum, value) => sum + value) / rows;
      const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / rows;
      expect([mean[step * channels + channel]]).toBeAllclose([average], { relative: 1e-12 });
      expect([variance[step * channels + channel]]).toBeAllclose([squares], { relative: 1e-6 });
    }
  }
});
