import { expect, test } from 'vitest';
import { PolarityTally } from '../../src/datasets/polarity-tally.ts';

test('events are added up by polarity and split, over clips and steps', () => {
  const tally = new PolarityTally();
  // Two steps, two polarities, a frame of one row and two pixels.
  tally.add('train', Uint8Array.of(1, 2, 10, 20, 4, 8, 40, 80), 2);
  tally.add('train', Uint8Array.of(0, 0, 1, 0, 0, 0, 0, 0), 2);
  tally.add('test', Uint16Array.of(300, 0, 0, 7), 1);
  expect(tally.metrics()).toEqual({
    'events.off.train': 15,
    'events.on.train': 151,
    'events.off.test': 300,
    'events.on.test': 7,
  });
});
