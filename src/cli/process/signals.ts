import process from 'node:process';
import { exitCodeOfSignal } from './exit-code.ts';

/** Ctrl-C in a terminal arrives directly and once more through npm: signals this close together are one key press. */
const samePressMs = 500;

/** The same for what does no harm if a slow npm makes two of one, but would be missed if two in a row counted as one. */
const sameHarmlessPressMs = 100;

export interface SignalListener {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP: stop the stages, but let them save what they can resume from. */
  readonly stop: AbortSignal;
  /** Aborted by the second: stop them immediately. */
  readonly kill: AbortSignal;
  /** Aborted by a second Ctrl-C, however soon: whoever asks a question then loses nothing by asking once too often. */
  readonly again: AbortSignal;
  received(): NodeJS.Signals | null;
  dispose(): void;
}

/** For commands that can be killed at any moment: the first signal asks them to stop, the second ends them at once. */
export function listenForTransferSignals(): SignalListener {
  const signals = listenForSignals();
  signals.kill.addEventListener('abort', () => process.exit(exitCodeOfSignal(signals.received())));
  return signals;
}

export function listenForSignals(): SignalListener {
  const stop = new AbortController();
  const kill = new AbortController();
  const again = new AbortController();
  let first: NodeJS.Signals | null = null;
  let firstAtMs = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (first === null) {
      first = signal;
      firstAtMs = Date.now();
      stop.abort(signal);
      return;
    }
    const sinceMs = Date.now() - firstAtMs;
    if (sinceMs > samePressMs) kill.abort(signal);
    if (signal === 'SIGINT' && (!isThroughNpm() || sinceMs > sameHarmlessPressMs)) again.abort(signal);
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, onSignal);
  return {
    stop: stop.signal,
    kill: kill.signal,
    again: again.signal,
    received: () => first,
    dispose: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}

/** Whether npm or npx has started this program: it passes on what the terminal has sent to both. */
function isThroughNpm(): boolean {
  return process.env.npm_command !== undefined || process.env.npm_lifecycle_event !== undefined;
}
