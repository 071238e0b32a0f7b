import { expect, test } from 'vitest';
import { ClipCollector } from '../../src/events/clips.ts';

test('overlapping spans share events, out-of-order events are found, and a span may be empty', () => {
  const collector = new ClipCollector([
    { startUs: 10, endUs: 20 },
    { startUs: 15, endUs: 30 },
    { startUs: 40, endUs: 50 },
  ]);
  for (const tUs of [9, 10, 30, 19, 15, 20, 29, 14]) collector.push(tUs, 1, 2, 0);
  expect(collector.clips().map((clip) => [...clip.tUs])).toEqual([[10, 19, 15, 14], [19, 15, 20, 29], []]);
});
