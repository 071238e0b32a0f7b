import { describe, expect, test } from 'vitest';
import { arrangeTimeline, timelineLines } from '../../src/app/run/timeline.ts';
import type { RunRecord } from '../../src/runner/store/records.ts';

/** A record of a run that began so many seconds after 12:00. */
function record(id: string, start: number, seconds: number, over: Partial<RunRecord> = {}): RunRecord {
  return {
    version: 1,
    id,
    stage: id.split('@')[0] ?? id,
    fingerprint: 'f',
    parts: {} as RunRecord['parts'],
    outputs: [],
    metrics: {},
    startedAt: new Date(Date.UTC(2026, 0, 2, 12, 0, start)).toISOString(),
    seconds,
    peakMemoryBytes: 250_000_000,
    host: 'cedar',
    node: '20.19.0',
    commit: null,
    dirty: null,
    profile: 'quick',
    ...over,
  };
}

/** Two stages one after another, two at the same time, and the last one an hour later elsewhere. */
const records = [
  record('report', 3600, 2, { host: 'birch', profile: 'full' }),
  record('train@b,1', 12, 30, { peakMemoryBytes: null }),
  record('train@a,1', 12, 20),
  record('frames', 0, 10),
];

describe('the timeline of recorded runs', () => {
  test('is in the order of starts, in sessions without a long pause', () => {
    const [first, second, ...more] = arrangeTimeline(records);
    expect(more).toEqual([]);
    expect(first?.spans.map(({ id, startSeconds }) => [id, startSeconds])).toEqual([
      ['frames', 0],
      ['train@a,1', 12],
      ['train@b,1', 12],
    ]);
    expect(first).toMatchObject({ startedAt: '2026-01-02T12:00:00.000Z', seconds: 42, hosts: ['cedar'] });
    expect(second).toMatchObject({ seconds: 2, hosts: ['birch'], profiles: ['full'] });
  });

  test('has a pause only after the longest of what ran at the same time', () => {
    // The second ends after 40 s, when the first has already run; the third begins 100 s after that.
    const long = [record('a', 0, 200), record('b', 10, 30), record('c', 140, 1)];
    expect(arrangeTimeline(long)).toHaveLength(1);
    expect(arrangeTimeline([record('a', 0, 1), record('b', 62, 1)])).toHaveLength(2);
  });

  test('as text has a bar for each instance, and names what has not run', () => {
    const lines = timelineLines(arrangeTimeline(records), ['evaluate@a,1']);
    expect(lines[0]).toBe('2026-01-02 12:00 UTC, 42 s, profile quick, on cedar');
    // 20 characters stand for 42 s: the first 10 s are 5 of them, and 12 s are after 5.
    expect(lines[1]).toBe(`  frames        ${'█'.repeat(5)}${' '.repeat(15)}   10 s  250 MB`);
    expect(lines[3]).toBe(`  train@b,1     ${' '.repeat(5)}${'█'.repeat(14)}    30 s  memory unknown`);
    expect(lines.slice(-3)).toEqual([
      '2026-01-02 13:00 UTC, 2.0 s, profile full, on birch',
      `  report        ${'█'.repeat(20)}  2.0 s  250 MB`,
      '  evaluate@a,1  has not run',
    ]);
  });

  test('as text tells whose each line is where machines or profiles mix', () => {
    const mixed = [
      record('a', 0, 10),
      record('b', 5, 10, { totalSeconds: 2e5, host: 'bi\u001b[31mrch', profile: 'full' }),
    ];
    const lines = timelineLines(arrangeTimeline(mixed), []);
    expect(lines[0]).toContain('profile full, quick, on birch, cedar');
    expect([lines[2], lines[4]]).toEqual([
      '    profile quick, on cedar',
      '    55 h 33 min in all attempts, profile full, on birch',
    ]);
  });
});
