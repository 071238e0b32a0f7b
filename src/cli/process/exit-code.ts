import { ReproError } from '../../errors.ts';

/** The exit codes of the process; scripts rely on these numbers. */
export const exitCode = {
  ok: 0,
  stageFailed: 1,
  usage: 2,
  stale: 3,
  differs: 4,
  undeclared: 5,
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
  // A full or read-only disk is not a usage error, and neither is a network that fails.
  if (error.code.startsWith('disk-')) return exitCode.stageFailed;
  if (error.code === 'slurm-unreachable' || error.code === 'jobs-ending') return exitCode.stageFailed;
  // As by Ctrl-C.
  if (error.code === 'cancelled') return exitCode.sigint;
  if (error.code.startsWith('remote-') && error.code !== 'remote-address') return exitCode.stageFailed;
  return error.code === 'locked' ? exitCode.locked : exitCode.usage;
}
