import { expect, it } from 'vitest';
import { formatPredictions } from '../../src/training/predictions.ts';

it('lists each clip with its recording, its class, the predicted class and the rates', () => {
  const clips = [
    { recording: 'user24_led', user: 24, light: 'led', class: 1 },
    { recording: 'Train/0/00002.bin', user: null, light: null, class: 0 },
  ];
  const rates = Float32Array.of(0.1, 0.3, 0.25, 0);
  const predicted = Int32Array.of(1, 0);
  expect(formatPredictions(2, [{ split: 'test', rows: Int32Array.of(1, 0), clips, rates, predicted }])).toBe(
    'split,clip,recording,user,light,class,predicted,rate_0,rate_1\n' +
      'test,1,Train/0/00002.bin,,,0,1,0.1,0.3\n' +
      'test,0,user24_led,24,led,1,0,0.25,0\n',
  );
});
