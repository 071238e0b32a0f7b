import process from 'node:process';
import { afterEach, expect, test, vi } from 'vitest';
import { listenForSignals } from '../../src/app/process/ending.ts';

afterEach(() => {
  vi.useRealTimers();
});

test.each([
  [[0], false],
  // npm passes on what the terminal has sent to both.
  [[0, 20], false],
  [[0, 600], true],
])(
  'a second Ctrl-C ends everything at once, if it is sure to be another: after %j ms: %j',
  (times, isKilled) => {
    vi.useFakeTimers({ now: 0 });
    const signals = listenForSignals();
    for (const timeMs of times) {
      vi.setSystemTime(timeMs);
      process.emit('SIGINT', 'SIGINT');
    }
    signals.dispose();
    expect(signals.kill.aborted).toBe(isKilled);
  },
);
