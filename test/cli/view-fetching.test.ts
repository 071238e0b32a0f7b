import { expect, test } from 'vitest';
import { applyEvent, createRunState, idsIn } from '../../src/cli/view/run-state.ts';

test('an instance whose results are being fetched is shown as running, and as waiting if that was interrupted', () => {
  const state = createRunState();
  applyEvent(state, { kind: 'run-started', ids: ['a', 'b'], jobs: 1 }, 0);
  for (const id of ['a', 'b']) {
    applyEvent(state, { kind: 'progress', id, progress: { done: 1, total: 2, unit: 'MB' } }, 5);
  }
  expect(idsIn(state, 'running')).toEqual(['a', 'b']);
  expect(state.instances.get('a')?.startedMs).toBe(5);
  applyEvent(state, { kind: 'cached', id: 'a', restored: [], removed: [], isRehearsal: false }, 6);
  applyEvent(state, { kind: 'run-finished', outcome: 'interrupted', seconds: 1 }, 7);
  expect([idsIn(state, 'cached'), idsIn(state, 'waiting')]).toEqual([['a'], ['b']]);
});
