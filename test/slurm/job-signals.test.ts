import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { listenForJobSignals, savingSeconds } from '../../src/runner/cluster/job-signals.ts';

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
    const { stop, kill, isTimeUp } = listenForJobSignals(emitter);
    expect([stop.aborted, isTimeUp()]).toEqual([false, false]);
    emitter.emit('SIGUSR2');
    expect([stop.aborted, isTimeUp()]).toEqual([true, true]);
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
    '%s ends it before Slurm kills it, and is no sign that its time is over',
    (signal) => {
      const { stop, kill, isTimeUp } = listenForJobSignals(emitter);
      emitter.emit(signal);
      emitter.emit('SIGUSR2');
      expect([stop.aborted, isTimeUp()]).toEqual([true, false]);
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
