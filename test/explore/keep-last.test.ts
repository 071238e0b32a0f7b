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

it('what failed is tried again', async () => {
  const answers = [Promise.reject(new Error('no memory')), Promise.resolve(3)];
  const ask = keepLast((_question: string) => answers.shift());
  await expect(ask('a')).rejects.toThrow('no memory');
  await expect(ask('a')).resolves.toBe(3);
  await expect(ask('a')).resolves.toBe(3);
});
