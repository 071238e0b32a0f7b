import { describe, expect, test } from 'vitest';
import { summariseRun } from '../../src/app/view/event-text.ts';
import { renderLive } from '../../src/app/view/live-view.ts';
import { applyEvent } from '../../src/app/view/run-state.ts';
import type { RunEvent } from '../../src/runner/run/events.ts';
import { batches, colors, plainLines, started, stateAfter, summaryOptions } from './view-events.ts';

const jobEvent = (id: string, more: Partial<Extract<RunEvent, { kind: 'job' }>>): RunEvent => ({
  ...{ kind: 'job', id, job: '12_3', state: 'PENDING', isRunning: false, reason: null, node: null },
  ...{ startedMs: null, ...more },
});

const onNode = { state: 'RUNNING', isRunning: true, node: 'node7', startedMs: -3_599_000 };

describe('the live view of work that goes on elsewhere', () => {
  test('shows the node of a job that runs, and why the others wait', () => {
    const [job, running] = [jobEvent, onNode];
    const state = stateAfter([
      { kind: 'run-started', ids: ['a', 'b', 'c', 'd', 'e'], jobs: 2 },
      ...['a', 'b'].map((id) => job(id, { reason: 'Resources' })),
      job('c', { reason: 'Priority' }),
      job('d', running),
      started('d'),
    ]);
    // It had run for an hour when the runner came to watch.
    expect(renderLive(state, { columns: 100, rows: 24, nowMs: 2000, colors })).toEqual([
      '● d on node7  1 h 00 min',
      '◌ 3 queued: Resources ×2, Priority · ○ 1 to go: e',
    ]);
    const events = [job('a', { reason: 'Resources' }), job('d', running), job('e', {})];
    expect(plainLines(events, state)).toEqual([
      '  a  job 12_3 waits (Resources)',
      '  d  job 12_3 runs on node7',
      '  e  job 12_3 waits',
    ]);
  });

  test('counts what an earlier run or job has done neither as speed nor for the time left', () => {
    const state = stateAfter([started('a'), batches('a', 90)]);
    expect(renderLive(state, { columns: 120, rows: 24, nowMs: 2000, colors })[0]).toBe(
      '● a  ████████████····  75 % · epoch 3/12 · 1.0 s',
    );
    applyEvent(state, batches('a', 105), 6000);
    expect(renderLive(state, { columns: 120, rows: 24, nowMs: 6000, colors })[0]).toBe(
      '● a  ██████████████··  87 % · epoch 3/12 · 5 s left · 3.0 batches/s',
    );
  });

  test('shows a job that was put back into the queue as one that waits, until it runs again', () => {
    const state = stateAfter([
      jobEvent('a', onNode),
      started('a'),
      batches('a', 90, 1_000_000),
      batches('a', 105, 1_005_000),
      jobEvent('a', { reason: 'BeginTime' }),
    ]);
    const shown = () => renderLive(state, { columns: 120, rows: 24, nowMs: 1000, colors });
    expect(shown()).toEqual(['◌ 1 queued: BeginTime']);
    // What was written before, and is read only now.
    for (const event of [started('a'), batches('a', 110)]) applyEvent(state, event, 1000);
    expect(shown()).toEqual(['◌ 1 queued: BeginTime']);
    applyEvent(state, jobEvent('a', { ...onNode, startedMs: -1000 }), 1000);
    expect(shown()).toEqual(['● a on node7  2.0 s']);
    applyEvent(state, batches('a', 106), 1000);
    expect(shown()).toEqual(['● a on node7  ██████████████▏·  88 % · epoch 3/12 · 2.0 s']);
  });
});

describe('where a run ended and what remains', () => {
  test('counts jobs that run on beside those that wait', () => {
    const state = stateAfter([
      { kind: 'run-started', ids: ['a', 'b', 'c', 'd'], jobs: 2 },
      ...['a', 'b'].map((id) => jobEvent(id, onNode)),
      started('a'),
      jobEvent('c', { reason: 'Priority' }),
      { kind: 'run-finished', outcome: 'interrupted', seconds: 2 },
    ]);
    expect(summariseRun(state, summaryOptions).at(-1)).toBe('2 running, 1 queued, 1 not started in 2.0 s');
  });
});
