import { ReproError } from '../errors.ts';

/** What the process answers; scripts rely on these numbers. */
export const exitCode = {
  ok: 0,
  stageFailed: 1,
  usage: 2,
  stale: 3,
  locked: 75,
  sigint: 130,
  sigterm: 143,
} as const;

/** The exit code of an error that ended a command before or beside its stages. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof ReproError)) return exitCode.stageFailed;
  return error.code === 'locked' ? exitCode.locked : exitCode.usage;
}
