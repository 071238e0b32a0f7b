import pico from 'picocolors';
import { PlainView } from '../../src/app/view/open-view.ts';
import { applyEvent, RunState } from '../../src/app/view/run-state.ts';
import type { RunEvent } from '../../src/runner/run/events.ts';

export const colors = pico.createColors(false);

/** The state after events in the first second, and then others at their times. */
export function stateAfter(
  events: readonly RunEvent[],
  ...later: readonly (readonly [atMs: number, RunEvent])[]
) {
  const state = new RunState();
  for (const event of events) applyEvent(state, event, 1000);
  for (const [atMs, event] of later) applyEvent(state, event, atMs);
  return state;
}

/** What the plain view writes of events that come a millisecond after each other. */
export function plainLines(events: readonly RunEvent[], state = new RunState(), firstMs = 0): string[] {
  const lines: string[] = [];
  const view = new PlainView((line) => lines.push(line), colors);
  for (const [atMs, event] of events.entries()) view.show(event, state, firstMs + atMs);
  view.close();
  return lines;
}

export const started = (id: string): RunEvent => ({
  ...{ kind: 'started', id, logFile: `logs/${id}.log` },
  reasons: [{ cue: 'never-run', text: 'has never run' }],
});

export const batches = (id: string, done: number, atMs?: number): RunEvent => ({
  ...{ kind: 'progress', id, ...(atMs === undefined ? {} : { atMs }) },
  progress: { done, total: 120, unit: 'batches', note: 'epoch 3/12' },
});

export const failed = (id: string, more: Partial<Extract<RunEvent, { kind: 'failed' }>> = {}): RunEvent => ({
  ...{
    kind: 'failed',
    id,
    seconds: 2,
    code: 'exit',
    text: 'exit code 7',
    logFile: '/project/log',
    logTail: [],
  },
  ...more,
});

export const summaryOptions = { colors, runArguments: [], results: [], folder: '/project' };
