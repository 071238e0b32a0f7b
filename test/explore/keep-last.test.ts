import { expect, it } from 'vitest';
import { keepLast } from '../../src/explore/keep-last.ts';

it('a result is kept until one of the arguments changes', () => {
  let calls = 0;
  const add = keepLast((a: number, b: number) => {
    calls += 1;
    return a + b;
  });
  expect([add(1, 2), add(1, 2), add(1, 3), add(2, 3), add(1, 2)]).toEqual([3, 3, 4, 5, 3]);
  expect(calls).toBe(4);
});
