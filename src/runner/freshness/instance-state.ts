import { describeError, ReproError } from '../../errors.ts';
import { findHolder } from '../../files/lock.ts';
import { findProcess } from '../../files/process-identity.ts';
import type { Attempt, AttemptFailure } from '../store/attempts.ts';
import { logFileOf } from '../store/cache-folder.ts';
import type { Freshness } from './freshness.ts';
import type { Session } from './session.ts';

/**
 * What can be said of an instance without running anything.
 *
 * - `fresh`: its outputs are in place and intact
 * - `restorable`: nothing has to run, but outputs must be restored from the store
 * - `stale`, `never-run`: it has to run
 * - `failed`: it has to run, and the last attempt with just this code, these inputs and parameters failed
 * - `running`: another process runs it now
 * - `error`: it could not be determined, and a run would fail in the same way
 */
type InstanceState = Freshness['kind'] | 'failed' | 'running' | 'error';

export interface StateReport {
  readonly state: InstanceState;
  readonly error?: { readonly code: string; readonly text: string };
  readonly attempt?: AttemptReport;
}

export interface AttemptReport {
  readonly startedAt: string;
  readonly logFile: string;
  /** How it failed; null while it runs. */
  readonly failure: AttemptFailure | null;
  /** The process that runs it, or did. */
  readonly pid: number;
  readonly host: string;
  /** Whether it is of the present code, inputs and parameters; null if these are not known yet, since it waits for others. */
  readonly isCurrent: boolean | null;
}

/** Tells the states of instances, all as of the moment at which it is made. */
export function createStateReporter({ attempts, folder }: Session) {
  const isLocked = findHolder(folder.lock) !== null;
  /** A killed runner cannot report its end. One on another machine, such as a cluster node, works for the process that holds the lock. */
  const isUnderWay = ({ runner }: Attempt): boolean => {
    const found = findProcess(runner);
    return found === 'alive' || (found === 'unknown' && isLocked);
  };
  return (id: string, freshness: Freshness): StateReport => {
    const attempt = attempts.find(id);
    const current = 'record' in freshness ? freshness.record.fingerprint : freshness.fingerprint;
    const report = attempt && {
      startedAt: attempt.startedAt,
      logFile: logFileOf(folder, id),
      failure: attempt.failure,
      pid: attempt.runner.pid,
      host: attempt.runner.host,
      isCurrent: current === null ? null : attempt.fingerprint === current,
    };
    if (report?.failure === null && attempt !== null && isUnderWay(attempt))
      return { state: 'running', attempt: report };
    if ('error' in freshness && freshness.error !== undefined) {
      const code = freshness.error instanceof ReproError ? freshness.error.code : 'internal';
      return { state: 'error', error: { code, text: describeError(freshness.error) } };
    }
    const hasFailed = report !== null && report.failure !== null && report.isCurrent === true;
    if (hasFailed && !('record' in freshness)) return { state: 'failed', attempt: report };
    return { state: freshness.kind };
  };
}
