import { expect, test } from 'vitest';
import { summariseAccuracy } from '../../../src/report/data/outcome.ts';

test('the mean over folds of different sizes is the share of all clips', () => {
  const runs = [
    { accuracy: 0.5, clips: 240, epoch: 0 },
    { accuracy: 0.75, clips: 216, epoch: 1 },
  ];
  const { mean, clips, values } = summariseAccuracy(runs);
  expect(mean).toBe((120 + 162) / 456);
  expect({ clips, values }).toEqual({ clips: 216, values: [0.5, 0.75] });
});
