import process from 'node:process';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { listenForSignals } from '../../src/cli/process/ending.ts';

/** After how many milliseconds each signal comes. */
function receive(...timesMs: readonly number[]) {
  vi.useFakeTimers({ now: 0 });
  const signals = listenForSignals();
  for (const timeMs of timesMs) {
    vi.setSystemTime(timeMs);
    process.emit('SIGINT', 'SIGINT');
  }
  signals.dispose();
  return { isKilled: signals.kill.aborted, isPressedAgain: signals.again.aborted };
}

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

describe('a second Ctrl-C', () => {
  test('counts for a question at any time, but ends nothing at once before it is sure to be another', () => {
    for (const name of ['npm_command', 'npm_lifecycle_event']) vi.stubEnv(name, undefined);
    expect(receive(0)).toEqual({ isKilled: false, isPressedAgain: false });
    expect(receive(0, 20)).toEqual({ isKilled: false, isPressedAgain: true });
    expect(receive(0, 600)).toEqual({ isKilled: true, isPressedAgain: true });
  });

  test('is told from what npm passes on of the first', () => {
    vi.stubEnv('npm_command', 'exec');
    expect(receive(0, 20)).toEqual({ isKilled: false, isPressedAgain: false });
    expect(receive(0, 20, 200, 220)).toEqual({ isKilled: false, isPressedAgain: true });
  });
});
