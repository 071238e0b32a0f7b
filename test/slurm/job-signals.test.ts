import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isEndOfTime, listenForJobSignals, savingSeconds } from '../../src/runner/cluster/this-job.ts';

describe('the signals of a job', () => {
  let emitter: EventEmitter;

  beforeEach(() => {
    vi.useFakeTimers();
    emitter = new EventEmitter();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test('a warning stops the stage, which has the time until the end for saving', () => {
    vi.setSystemTime(5_000);
    const { stop, kill, warnedAtMs } = listenForJobSignals(emitter);
    expect([stop.aborted, warnedAtMs()]).toEqual([false, null]);
    emitter.emit('SIGUSR2');
    expect([stop.aborted, warnedAtMs()]).toEqual([true, 5_000]);
    vi.advanceTimersByTime(3_600_000);
    expect(kill.aborted).toBe(false);
    // The end itself: Slurm kills in 30 s.
    emitter.emit('SIGTERM');
    emitter.emit('SIGTERM');
    vi.advanceTimersByTime(24_900);
    expect(kill.aborted).toBe(false);
    vi.advanceTimersByTime(200);
    expect(kill.aborted).toBe(true);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'])(
    '%s ends it before Slurm kills it, and is no warning',
    (signal) => {
      const { stop, kill, warnedAtMs } = listenForJobSignals(emitter);
      emitter.emit(signal);
      emitter.emit('SIGUSR2');
      expect([stop.aborted, warnedAtMs()]).toEqual([true, null]);
      vi.advanceTimersByTime(25_000);
      expect(kill.aborted).toBe(true);
    },
  );
});

test.each([
  [null, 25],
  [30, 22.5],
  [120, 90],
  [300, 270],
])('warned %j s ahead, a stage has %d s to save its work', (warnSeconds, seconds) => {
  expect(savingSeconds(warnSeconds)).toBe(seconds);
});

test.each([
  ['of the end of the time', 880, '1000', true],
  ['of that, by a clock that is slow', 825, '1000', true],
  ['of a preemption', 500, '1000', false],
  ['from a Slurm that does not say when the time ends', 500, undefined, true],
  ['from one that says that there is no limit', 500, '0', true],
])('a warning is told by its time: one %s', (_, at, end, isIt) => {
  const environment = end === undefined ? {} : { SLURM_JOB_END_TIME: end };
  expect(isEndOfTime(at * 1000, 120, environment)).toBe(isIt);
});
