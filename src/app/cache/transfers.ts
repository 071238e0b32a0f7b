import process from 'node:process';
import { describeError } from '../../base/errors.ts';
import { formatBytes, formatCount } from '../../base/text.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { type Pulled, pullPlan } from '../../runner/share/pull.ts';
import { type PushedInstance, pushPlan } from '../../runner/share/push-plan.ts';
import type { TransferProgress } from '../../runner/share/remote.ts';
import { openConfiguredRemote } from '../options/remote.ts';
import { exitCode, exitCodeOfSignal, listenForSignals } from '../process/ending.ts';
import { factsOf } from '../project/facts.ts';
import { loadCheckedPlan, type PipelineOptions } from '../project/load-plan.ts';
import { printJson, toLines } from '../view/print.ts';
import { StatusLine } from '../view/status-line.ts';

interface TransferOptions extends PipelineOptions {
  readonly remote?: string;
  readonly json?: boolean;
}

/** `repro cache pull`: fetches results and puts them in place. Exits with 3 if the remote does not have all of them. */
export async function pull(targets: readonly string[], options: TransferOptions): Promise<void> {
  const plan = await loadCheckedPlan(options, { targets });
  const { selected, named } = selectInstances(plan, { targets });
  const remote = await openConfiguredRemote(plan, options.remote);
  const all: Pulled[] = [];
  await transferUntilStopped(async (signal, onProgress, print) => {
    await pullPlan(plan, {
      remote,
      selected,
      named,
      // A GPU counts only by results that are here: what others publish comes from a CPU.
      facts: factsOf(plan, 'none'),
      signal,
      onProgress,
      onPulled: (pulled) => {
        all.push(pulled);
        const { id, warning } = pulled;
        if (!named.has(id)) return;
        print(`${describePulled(pulled)}${warning === undefined ? '' : `\n! ${id}  ${warning}`}`);
      },
    });
  });
  const wanted = all.filter(({ id }) => named.has(id));
  if (options.json === true) {
    const instances = wanted.map(({ error, warning = null, ...others }) => ({
      ...others,
      warning,
      error: error === undefined ? null : describeError(error),
    }));
    const { profile } = plan;
    printJson({ version: 1, command: 'cache pull', remote: remote.address, profile, instances });
  }
  const left = all.filter(({ state }) => state === 'skipped').length;
  if (left > 0 && options.json !== true) {
    const [were, them] = left === 1 ? ['stage was', 'it'] : ['stages were', 'them'];
    process.stderr.write(
      `${left} earlier ${were} not fetched, so a run would compute ${them}; to fetch all: ./repro cache pull without a stage\n`,
    );
  }
  setExitCode(
    all.some(({ state }) => state === 'failed'),
    wanted.some(({ state }) => state === 'absent' || state === 'waiting'),
  );
}

/** Unless a signal has set it. */
function setExitCode(hasFailed: boolean, isMissing: boolean): void {
  if (process.exitCode !== undefined) return;
  if (hasFailed) process.exitCode = exitCode.stageFailed;
  else if (isMissing) process.exitCode = exitCode.stale;
}

function describePulled({ id, state, files, bytes, restored, error }: Pulled): string {
  const placed = restored.length === 0 ? '' : `, in place: ${restored.join(', ')}`;
  const what =
    files === 0
      ? 'its files were already here'
      : `${formatCount(files, 'file')} fetched, ${formatBytes(bytes)}`;
  const texts: Readonly<Record<Pulled['state'], string>> = {
    present: `= ${id}  up to date`,
    fetched: `+ ${id}  ${what}${placed}`,
    absent: `- ${id}  not in the remote cache`,
    waiting: `- ${id}  unknown: results that it depends on were not fetched`,
    skipped: `= ${id}  not needed`,
    failed: `x ${id}  ${describeError(error)}`,
  };
  return texts[state];
}

/** `repro cache push`: uploads results that are up to date. Exits with 3 if some are not. */
export async function push(targets: readonly string[], options: TransferOptions): Promise<void> {
  const plan = await loadCheckedPlan(options, { targets });
  const { selected } = selectInstances(plan, { targets });
  const remote = await openConfiguredRemote(plan, options.remote, true);
  const all: PushedInstance[] = [];
  await transferUntilStopped(async (signal, onProgress, print) => {
    await pushPlan(plan, {
      remote,
      selected,
      facts: factsOf(plan),
      signal,
      onProgress,
      onPushed: (pushed) => {
        all.push(pushed);
        const { id, replaced } = pushed;
        for (const key of replaced) print(`! ${id}  ${key} was damaged and has been replaced`);
        print(describePushed(pushed));
      },
    });
  });
  if (options.json === true) {
    const instances = all.map(({ other: _, error, ...others }) => ({
      ...others,
      error: error === undefined ? null : describeError(error),
    }));
    const { profile } = plan;
    printJson({ version: 1, command: 'cache push', remote: remote.address, profile, instances });
  }
  setExitCode(
    all.some(({ state }) => state === 'failed'),
    all.some(({ state }) => state === 'stale'),
  );
}

function describePushed({ id, state, files, bytes, other, error }: PushedInstance): string {
  const what =
    files === 0 ? '; its files were already there' : `: ${formatCount(files, 'file')}, ${formatBytes(bytes)}`;
  const made = `made on ${other?.host}, ${other?.startedAt.slice(0, 16)}Z`;
  const texts: Readonly<Record<PushedInstance['state'], string>> = {
    pushed: `+ ${id}  uploaded${what}`,
    present: `= ${id}  already there`,
    theirs: `! ${id}  not replaced: the remote has different results of the same fingerprint, ${made}`,
    stale: `- ${id}  not uploaded: not up to date`,
    failed: `x ${id}  ${describeError(error)}`,
  };
  return texts[state];
}

/**
 * Transfers with a line of progress, until done or stopped by a signal, which then determines the exit code. A second signal ends the
 * process at once.
 */
async function transferUntilStopped(
  transfer: (
    stop: AbortSignal,
    onProgress: (progress: TransferProgress) => void,
    print: (text: string) => void,
  ) => Promise<void>,
): Promise<void> {
  const signals = listenForSignals();
  signals.kill.addEventListener('abort', () => process.exit(exitCodeOfSignal(signals.received())));
  const line = new StatusLine();
  const onProgress = ({ id, doneBytes, totalBytes }: TransferProgress): void =>
    line.show(`${id}  ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`);
  // Some of it comes from the remote, and must not act on the terminal.
  const print = (text: string): void => {
    line.clear();
    process.stderr.write(`${toLines(text).join('\n')}\n`);
  };
  try {
    await transfer(signals.stop, onProgress, print);
  } catch (error) {
    if (!signals.stop.aborted) throw error;
    process.exitCode = exitCodeOfSignal(signals.received());
  } finally {
    line.clear();
    signals.dispose();
  }
}
