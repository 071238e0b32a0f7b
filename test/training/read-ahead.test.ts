import { expect, test } from 'vitest';
import { readAhead } from '../../src/training/read-ahead.ts';

test('begins to read the next value before the one at hand is used, and no further', async () => {
  const log: string[] = [];
  const read = async (index: number) => {
    log.push(`read ${index}`);
    return index;
  };
  for await (const value of readAhead(3, 6, read)) log.push(`use ${value}`);
  expect(log).toEqual(['read 3', 'read 4', 'use 3', 'read 5', 'use 4', 'use 5']);
});

test('reads nothing if there is nothing to read', async () => {
  const values: number[] = [];
  for await (const value of readAhead(2, 2, async (index) => index)) values.push(value);
  expect(values).toEqual([]);
});

test('reports a failure when its value is due, not before', async () => {
  const used: number[] = [];
  const read = async (index: number) => {
    if (index === 1) throw new Error('the disk is gone');
    return index;
  };
  await expect(async () => {
    for await (const value of readAhead(0, 3, read)) {
      await new Promise((resolve) => setImmediate(resolve));
      used.push(value);
    }
  }).rejects.toThrow('the disk is gone');
  expect(used).toEqual([0]);
});

test('drops a failure that nobody waits for', async () => {
  const read = async (index: number) => {
    if (index === 1) throw new Error('the disk is gone');
    return index;
  };
  for await (const _ of readAhead(0, 3, read)) break;
  await new Promise((resolve) => setImmediate(resolve));
});
