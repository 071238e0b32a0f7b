import process from 'node:process';
import { expect, test } from 'vitest';
import { nextTurn } from '../../src/base/next-turn.ts';

test('a signal arrives within one turn of the event loop', async () => {
  let arrived = false;
  process.once('SIGUSR2', () => {
    arrived = true;
  });
  // Like a batch of a training, from the end of a turn.
  await nextTurn();
  process.kill(process.pid, 'SIGUSR2');
  await nextTurn();
  expect(arrived).toBe(true);
});
