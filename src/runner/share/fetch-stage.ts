import { describeError, hasErrorCode } from '../../errors.ts';
import type { RunEvent } from '../run/events.ts';
import type { FetchStage } from '../run/preparation.ts';
import { fetchInstance } from './fetch-instance.ts';
import type { Remote, TransferProgress } from './remote.ts';

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
    const onProgress = ({ doneBytes, totalBytes }: TransferProgress): void => {
      const [done, total] = [inMegabytes(doneBytes), inMegabytes(totalBytes)];
      onEvent({ kind: 'progress', id, progress: { done, total, unit: 'MB', note: 'fetched' } });
    };
    try {
      opened ??= openRemote();
      const remote = await opened;
      const record = await fetchInstance(session, id, freshness.fingerprint, { remote, signal, onProgress });
      if (record === null) return false;
      const text = `fetched from ${remote.address}: made on ${record.host}, ${record.startedAt.slice(0, 16)}Z`;
      onEvent({ kind: 'note', id, level: 'note', text });
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      // The next stage would meet these again, perhaps after a long wait.
      isGivenUp = hasErrorCode(
        error,
        'remote-unreachable',
        'remote-denied',
        'remote-missing',
        'remote-address',
      );
      const rest = isGivenUp ? '\nNo more is fetched in this run.' : '';
      const text = `not fetched, so it runs: ${describeError(error)}${rest}`;
      onEvent({ kind: 'note', id, level: 'warning', text });
      return false;
    }
  };
}

function inMegabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}
