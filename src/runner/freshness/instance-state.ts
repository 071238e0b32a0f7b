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

export class InstanceStates {
  readonly #session: Session;
  readonly #isLocked: boolean;

  constructor(session: Session) {
    this.#session = session;
    this.#isLocked = findHolder(session.folder.lock) !== null;
  }

  describe(id: string, freshness: Freshness): StateReport {
    const attempt = this.#session.attempts.find(id);
    const fingerprint = 'record' in freshness ? freshness.record.fingerprint : freshness.fingerprint;
    const report = attempt === null ? null : this.#report(attempt, fingerprint);
    if (report?.failure === null && attempt !== null && this.#isUnderWay(attempt)) {
      return { state: 'running', attempt: report };
    }
    if ('error' in freshness && freshness.error !== undefined) {
      return { state: 'error', error: describeProblem(freshness.error) };
    }
    const hasFailed = report !== null && report.failure !== null && report.isCurrent === true;
    if (hasFailed && !('record' in freshness)) return { state: 'failed', attempt: report };
    return { state: freshness.kind };
  }

  /** A killed runner cannot report its end. One on another machine, such as a cluster node, works for the process that holds the lock. */
  #isUnderWay({ runner }: Attempt): boolean {
    const found = findProcess(runner);
    return found === 'alive' || (found === 'unknown' && this.#isLocked);
  }

  #report({ id, startedAt, failure, runner, fingerprint }: Attempt, current: string | null): AttemptReport {
    const { pid, host } = runner;
    const logFile = logFileOf(this.#session.folder, id);
    const isCurrent = current === null ? null : fingerprint === current;
    return { startedAt, logFile, failure, pid, host, isCurrent };
  }
}

function describeProblem(error: unknown): { code: string; text: string } {
  return { code: error instanceof ReproError ? error.code : 'internal', text: describeError(error) };
}
