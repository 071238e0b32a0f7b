import process from 'node:process';
import { ReproError } from '../../base/errors.ts';

/** Ctrl-C in a terminal arrives directly and once more through npm: signals this close together are one key press. */
const samePressMs = 500;

export interface SignalListener {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP: stop the stages, but let them save what they can resume from. */
  readonly stop: AbortSignal;
  /** Aborted by the second: stop them immediately. */
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
      return;
    }
    if (Date.now() - firstAtMs > samePressMs) kill.abort(signal);
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

/** The exit codes of the process; scripts rely on these numbers. */
export const exitCode = {
  ok: 0,
  stageFailed: 1,
  usage: 2,
  stale: 3,
  differs: 4,
  locked: 75,
  sighup: 129,
  sigint: 130,
  sigterm: 143,
} as const;

/** The exit code of a run that a signal stopped. */
export function exitCodeOfSignal(signal: NodeJS.Signals | null): number {
  if (signal === 'SIGHUP') return exitCode.sighup;
  return signal === 'SIGTERM' ? exitCode.sigterm : exitCode.sigint;
}

/** The exit code for an error that ended a command before or outside its stages. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof ReproError)) return exitCode.stageFailed;
  // Neither a full disk nor a broken network is a usage error.
  if (error.code.startsWith('disk-')) return exitCode.stageFailed;
  if (['slurm-unreachable', 'jobs-ending', 'cancelled'].includes(error.code)) return exitCode.stageFailed;
  if (error.code.startsWith('remote-') && error.code !== 'remote-address') return exitCode.stageFailed;
  return error.code === 'locked' ? exitCode.locked : exitCode.usage;
}
