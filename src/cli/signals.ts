import process from 'node:process';

/** A terminal's Ctrl-C reaches us directly and once more through npm; what comes this soon is the same key press. */
const samePressMs = 500;

export interface SignalListener {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP: end the stages, keep what they can resume from. */
  readonly stop: AbortSignal;
  /** Aborted by the second: end them at once. */
  readonly kill: AbortSignal;
  received(): NodeJS.Signals | null;
  dispose(): void;
}

export function listenForSignals(): SignalListener {
  const stop = new AbortController();
  const kill = new AbortController();
  let first: NodeJS.Signals | null = null;
  let firstAtMs = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (first === null) {
      first = signal;
      firstAtMs = Date.now();
      stop.abort(signal);
    } else if (Date.now() - firstAtMs > samePressMs) {
      kill.abort(signal);
    }
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, onSignal);
  return {
    stop: stop.signal,
    kill: kill.signal,
    received: () => first,
    dispose: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
