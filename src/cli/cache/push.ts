import process from 'node:process';
import { factsOf } from '../../apps/facts.ts';
import { loadCheckedPlan, type PipelineOptions } from '../../apps/load-plan.ts';
import { describeError } from '../../errors.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { type PushedInstance, pushPlan } from '../../runner/share/push-plan.ts';
import { formatBytes } from '../../text.ts';
import { openConfiguredRemote, printTransfer, transferUntilStopped } from '../options/remote.ts';
import { exitCode } from '../process/exit-code.ts';
import { printJson, printWarning } from '../view/print.ts';

interface PushOptions extends PipelineOptions {
  readonly remote?: string;
  readonly verify?: boolean;
  readonly json?: boolean;
}

/** `repro cache push`: uploads results that are up to date. Exits with 3 if some are not. */
export async function push(targets: readonly string[], options: PushOptions): Promise<void> {
  const plan = await loadCheckedPlan(options, printWarning);
  const { selected } = selectInstances(plan, { targets });
  const remote = await openConfiguredRemote(plan, options.remote, { isNewAllowed: true });
  const all: PushedInstance[] = [];
  await transferUntilStopped(async (signal, line) => {
    await pushPlan(plan, {
      remote,
      isVerified: options.verify === true,
      selected,
      facts: factsOf(plan.projectRoot),
      signal,
      onProgress: line.show,
      onPushed: (pushed) => {
        all.push(pushed);
        line.clear();
        for (const text of describePushed(pushed)) printTransfer(text);
      },
    });
  });
  if (options.json === true) {
    printJson({
      version: 1,
      command: 'cache push',
      remote: remote.address,
      profile: plan.profile,
      instances: all.map(({ id, state, uploadedFiles, uploadedBytes, replaced, error }) => ({
        id,
        state,
        files: uploadedFiles,
        bytes: uploadedBytes,
        replaced,
        error: error === undefined ? null : describeError(error),
      })),
    });
  }
  if (process.exitCode !== undefined) return;
  if (all.some(({ state }) => state === 'failed')) process.exitCode = exitCode.stageFailed;
  else if (all.some(({ state }) => state === 'stale')) process.exitCode = exitCode.stale;
}

function describePushed(pushed: PushedInstance): string[] {
  const { id, state, uploadedFiles, uploadedBytes, replaced, other } = pushed;
  const repaired = replaced.map((key) => `! ${id}  ${key} was damaged and has been replaced`);
  switch (state) {
    case 'pushed': {
      const what = `${uploadedFiles} ${uploadedFiles === 1 ? 'file' : 'files'}, ${formatBytes(uploadedBytes)}`;
      return [
        ...repaired,
        `+ ${id}  uploaded${uploadedFiles === 0 ? '; its files were there already' : `: ${what}`}`,
      ];
    }
    case 'present':
      return [...repaired, `= ${id}  already there`];
    case 'theirs':
      return [
        `! ${id}  left as it is: the remote has other results of the same fingerprint, made on ${other?.host}, ${other?.startedAt.slice(0, 16)}Z`,
      ];
    case 'stale':
      return [`- ${id}  nothing to upload: not up to date`];
    case 'failed':
      return [`x ${id}  ${describeError(pushed.error)}`];
  }
}
