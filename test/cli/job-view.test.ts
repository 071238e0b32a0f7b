import { describe, expect, test } from 'vitest';
import { summariseRun } from '../../src/cli/view/event-text.ts';
import { renderLive } from '../../src/cli/view/live-view.ts';
import { applyEvent } from '../../src/cli/view/run-state.ts';
import type { RunEvent } from '../../src/runner/run/events.ts';
import { batches, colors, failed, plainLines, started, stateAfter, summaryOptions } from './view-events.ts';

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

  test('takes the speed of a job from when it reported its progress, which may be read all at once', () => {
    const state = stateAfter([
      jobEvent('a', onNode),
      started('a'),
      batches('a', 90, 1_000_000),
      batches('a', 105, 1_005_000),
    ]);
    expect(renderLive(state, { columns: 120, rows: 24, nowMs: 1000, colors })[0]).toContain('3.0 batches/s');
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

  test('tells once what was dropped because of a failure, in whatever order that is heard of', () => {
    const cancelled = (id: string) => failed(id, { seconds: 0, text: 'job 1 was cancelled' });
    const blocked = (id: string): RunEvent => ({ kind: 'blocked', id, by: ['train'] });
    const events = [
      cancelled('train'),
      cancelled('early'),
      blocked('early'),
      blocked('late'),
      cancelled('late'),
    ];
    expect(summariseRun(stateAfter(events), summaryOptions)).toEqual([
      '',
      'train failed: job 1 was cancelled',
      '  run it again: ./repro run train',
      '',
      'not run, because of these failures: early, late',
      '',
      '1 failed, 2 blocked in 0.0 s',
    ]);
  });

  test('says no duration that nobody knows, and what would stay on this machine', () => {
    const reasons = [{ cue: 'never-run', text: 'has never run' }] as const;
    const text = 'job 1 was cancelled';
    const events: RunEvent[] = [
      { kind: 'finished', id: 'a', seconds: 8.6, metrics: {} },
      failed('b', { seconds: 0, text }),
      failed('c', { seconds: 42, text }),
      { kind: 'would-run', id: 'report', reasons, expected: null, staysHere: true },
    ];
    expect(plainLines(events)).toEqual([
      '+ a  done in 8.6 s',
      'x b  failed: job 1 was cancelled',
      'x c  failed after 42 s: job 1 was cancelled',
      '? report  would run (on this machine): has never run',
    ]);
  });
});
