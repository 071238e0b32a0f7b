import process from 'node:process';
import cliTruncate from 'cli-truncate';
import { ReproError } from '../../base/errors.ts';
import { formatBytes } from '../../base/text.ts';
import type { Plan, RemoteSettings } from '../../runner/plan/plan.ts';
import type { Remote, TransferProgress } from '../../runner/share/remote.ts';
import { exitCodeOfSignal, listenForTransferSignals } from '../process/ending.ts';
import { toLines, toOneLine } from '../view/print.ts';

/**
 * The remote cache of `--remote`, else of pipeline.yaml.
 *
 * @throws {ReproError} `usage` if there is none
 */
export function remoteSettingsOf(plan: Plan, address: string | undefined): RemoteSettings {
  const configured = plan.remote;
  if (address !== undefined) {
    // The configured endpoint and region also hold for other buckets of that storage.
    const isAlike = address.startsWith('s3://') && configured?.address.startsWith('s3://') === true;
    return isAlike ? { ...configured, address } : { address };
  }
  if (configured !== undefined) return configured;
  throw new ReproError('usage', 'there is no remote cache', {
    fix: 'Name one with --remote (a folder, or s3://bucket/prefix), or write it into pipeline.yaml:\n  cache: { remote: s3://bucket/prefix }',
  });
}

export async function openConfiguredRemote(
  plan: Plan,
  address: string | undefined,
  isNewAllowed = false,
): Promise<Remote> {
  const settings = remoteSettingsOf(plan, address);
  const { openRemote } = await import('../../runner/share/open-remote.ts');
  return openRemote(settings, plan.projectRoot, isNewAllowed);
}

/** Says on stderr what became of an instance. Some of it comes from the remote, and must not act on the terminal. */
export function printTransfer(text: string): void {
  process.stderr.write(`${toLines(text).join('\n')}\n`);
}

/** More often than this only makes a terminal flicker. */
const redrawMs = 100;

/** If a terminal does not report its width. */
const usualColumns = 80;

/** One line on a terminal's stderr that shows how far a transfer is; nothing elsewhere. */
export class TransferLine {
  #drawnMs = 0;
  #isDrawn = false;

  readonly show = ({ id, doneBytes, totalBytes }: TransferProgress): void => {
    const nowMs = performance.now();
    if (!process.stderr.isTTY || nowMs - this.#drawnMs < redrawMs) return;
    this.#drawnMs = nowMs;
    const text = `${toOneLine(id)}  ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`;
    process.stderr.write(
      `\r\u001b[K${cliTruncate(text, Math.max(1, (process.stderr.columns || usualColumns) - 1))}`,
    );
    this.#isDrawn = true;
  };

  /** Before anything else is printed. */
  clear(): void {
    if (this.#isDrawn) process.stderr.write('\r\u001b[K');
    this.#isDrawn = false;
  }
}

/** Transfers with a line of progress, until done or stopped by a signal, which then determines the exit code. */
export async function transferUntilStopped(
  transfer: (stop: AbortSignal, line: TransferLine) => Promise<void>,
): Promise<void> {
  const signals = listenForTransferSignals();
  const line = new TransferLine();
  try {
    await transfer(signals.stop, line);
  } catch (error) {
    if (!signals.stop.aborted) throw error;
    process.exitCode = exitCodeOfSignal(signals.received());
  } finally {
    line.clear();
    signals.dispose();
  }
}
