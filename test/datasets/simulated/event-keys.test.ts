import { expect, test } from 'vitest';
import { EventKeys } from '../../../src/datasets/simulated/event-keys.ts';

test('events come back by time, then row, column and polarity, with every field unchanged', () => {
  const keys = new EventKeys();
  keys.push(2000, 5, 9, 1);
  keys.push(1000, 127, 127, 1);
  keys.push(2000, 5, 9, 0);
  keys.push(2000, 0, 9, 1);
  keys.push(2000, 127, 8, 0);
  keys.push(2 ** 37, 1, 2, 0);
  const { tUs, x, y, p } = keys.sorted();
  expect(Array.from(tUs, (t, i) => [t, x[i], y[i], p[i]])).toEqual([
    [1000, 127, 127, 1],
    [2000, 127, 8, 0],
    [2000, 0, 9, 1],
    [2000, 5, 9, 0],
    [2000, 5, 9, 1],
    [2 ** 37, 1, 2, 0],
  ]);
});

test('more events than fit the initial buffer are all kept', () => {
  const keys = new EventKeys();
  const count = 70_000;
  for (let i = count; i > 0; i--) keys.push(i, i % 128, 3, i % 2);
  const { tUs, x } = keys.sorted();
  expect(tUs.length).toBe(count);
  expect([tUs[0], tUs[count - 1], x[0]]).toEqual([1, count, 1]);
});
