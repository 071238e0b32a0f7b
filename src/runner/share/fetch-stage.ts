import { describeError, ReproError } from '../../errors.ts';
import type { RunEvent } from '../run/events.ts';
import type { FetchStage } from '../run/preparation.ts';
import { fetchInstance } from './fetch-instance.ts';
import type { Remote } from './remote.ts';

/** Errors that the next stage would meet again, perhaps after a long wait. */
const concernsAll: ReadonlySet<string> = new Set([
  'remote-unreachable',
  'remote-denied',
  'remote-missing',
  'remote-address',
]);

/**
 * For runs that fetch what a remote has. A failure is only a warning, and the stage runs. Once the remote does not answer, it is not asked
 * again.
 */
export function createFetchStage(
  openRemote: () => Promise<Remote>,
  onEvent: (event: RunEvent) => void,
): FetchStage {
  let isGivenUp = false;
  let opened: Promise<Remote> | null = null;
  return async (session, { id }, freshness, signal) => {
    if (isGivenUp || signal.aborted || 'record' in freshness || freshness.fingerprint === null) return false;
    const warn = (text: string): void => onEvent({ kind: 'note', id, level: 'warning', text });
    try {
      opened ??= openRemote();
      const remote = await opened;
      const onProgress = ({ doneBytes, totalBytes }: { doneBytes: number; totalBytes: number }): void =>
        onEvent({
          kind: 'progress',
          id,
          progress: {
            done: inMegabytes(doneBytes),
            total: inMegabytes(totalBytes),
            unit: 'MB',
            note: 'fetched',
          },
        });
      const fetched = await fetchInstance(session, id, freshness.fingerprint, { remote, signal, onProgress });
      if (fetched === null) return false;
      const { host, startedAt } = fetched.record;
      const text = `fetched from ${remote.address}: made on ${host}, ${startedAt.slice(0, 16)}Z`;
      onEvent({ kind: 'note', id, level: 'note', text });
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      isGivenUp = error instanceof ReproError && concernsAll.has(error.code);
      const rest = isGivenUp ? '\nNo more is fetched in this run.' : '';
      warn(`not fetched, so it runs: ${describeError(error)}${rest}`);
      return false;
    }
  };
}

function inMegabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}
