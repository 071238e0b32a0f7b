import { expect, test, vi } from 'vitest';
import { loadSelectedPlan } from '../../src/apps/load-plan.ts';
import { followTimeLeft } from '../../src/cli/run/time-left.ts';
import { describeLeft } from '../../src/cli/view/progress-text.ts';
import { applyEvent, RunState } from '../../src/cli/view/run-state.ts';
import { CliProject } from '../runner/rig/cli-project.ts';

test('a run that has no earlier one is judged by its own progress, and what waits is unknown until one of its stage has finished', async () => {
  const project = await CliProject.create({
    'pipeline.yaml': `version: 1
stages:
  train: {matrix: {n: [1, 2, 3]}, cmd: [make], outputs: ["artifacts/train/\${n}"]}
  report: {cmd: [make], inputs: [artifacts/train], outputs: [artifacts/report]}
`,
  });
  const plan = await loadSelectedPlan({ project: project.root, set: [] });
  const state = new RunState();
  const id = 'train@1';
  applyEvent(state, { kind: 'run-started', ids: [...plan.instances.keys()], jobs: 1 }, 0);
  applyEvent(state, { kind: 'started', id, reasons: [], logFile: '' }, 0);
  for (const [done, atMs] of [
    [0, 0],
    [25, 10_000],
  ] as const) {
    applyEvent(state, { kind: 'progress', id, progress: { done, total: 100 } }, atMs);
  }
  expect(describeLeft(state, 10_000)).toBe('');
  // A quarter in ten seconds: thirty more. Nobody knows about what waits.
  followTimeLeft(plan, state, { facts: {}, jobs: 1 })(10_000);
  await vi.waitFor(() => expect(state.left).not.toBeNull());
  expect(state.left).toEqual({ seconds: 30, unknown: 3, atMs: 10_000 });
  expect(describeLeft(state, 15_000)).toBe('more than 25 s left in all');
});
