import process from 'node:process';
import { factsOf } from '../../apps/facts.ts';
import { loadCheckedPlan, type PipelineOptions } from '../../apps/load-plan.ts';
import { describeError } from '../../errors.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { type Pulled, pullCommitted, pullPlan } from '../../runner/share/pull.ts';
import { type PushedInstance, pushPlan } from '../../runner/share/push-plan.ts';
import { formatBytes } from '../../text.ts';
import { openConfiguredRemote, printTransfer, transferUntilStopped } from '../options/remote.ts';
import { exitCode } from '../process/ending.ts';
import { printJson, printWarning } from '../view/print.ts';

interface PullOptions extends PipelineOptions {
  readonly remote?: string;
  readonly locked?: boolean;
  readonly json?: boolean;
}

/** `repro cache pull`: fetches results and puts them in place. Exits with 3 if the remote does not have all of them. */
export async function pull(targets: readonly string[], options: PullOptions): Promise<void> {
  const plan = await loadCheckedPlan(options, printWarning);
  const { selected, named } = selectInstances(plan, { targets });
  const remote = await openConfiguredRemote(plan, options.remote, { isNewAllowed: false });
  const all: Pulled[] = [];
  await transferUntilStopped(async (signal, line) => {
    await (options.locked === true ? pullCommitted : pullPlan)(plan, {
      remote,
      selected,
      named,
      facts: factsOf(plan.projectRoot),
      signal,
      onProgress: line.show,
      onPulled: (pulled) => {
        all.push(pulled);
        line.clear();
        if (named.has(pulled.id)) printTransfer(describePulled(pulled));
      },
    });
  });
  const wanted = all.filter(({ id }) => named.has(id));
  if (options.json === true) {
    printJson({
      version: 1,
      command: 'cache pull',
      remote: remote.address,
      profile: plan.profile,
      instances: wanted.map(({ error, warning = null, ...others }) => ({
        ...others,
        warning,
        error: error === undefined ? null : describeError(error),
      })),
    });
  }
  const left = all.filter(({ state }) => state === 'skipped').length;
  if (left > 0 && options.json !== true) {
    process.stderr.write(
      `${left} earlier ${left === 1 ? 'stage was' : 'stages were'} not fetched, so a run would compute ${left === 1 ? 'it' : 'them'}; to fetch all: ./repro cache pull without a stage\n`,
    );
  }
  if (process.exitCode !== undefined) return;
  if (all.some(({ state }) => state === 'failed')) process.exitCode = exitCode.stageFailed;
  else if (wanted.some(({ state }) => state === 'absent' || state === 'waiting'))
    process.exitCode = exitCode.stale;
}

function describePulled(pulled: Pulled): string {
  const { id, warning } = pulled;
  const line = describeState(pulled);
  return warning === undefined ? line : `${line}\n! ${id}  ${warning}`;
}

function describeState({ id, state, files, bytes, restored, error }: Pulled): string {
  const placed = restored.length === 0 ? '' : `, in place: ${restored.join(', ')}`;
  switch (state) {
    case 'present':
      return `= ${id}  up to date`;
    case 'fetched':
      return files === 0
        ? `+ ${id}  its files were already here${placed}`
        : `+ ${id}  ${files} ${files === 1 ? 'file' : 'files'} fetched, ${formatBytes(bytes)}${placed}`;
    case 'absent':
      return `- ${id}  not in the remote cache`;
    case 'waiting':
      return `- ${id}  unknown: the remote cache lacks results that it depends on`;
    case 'skipped':
      return `= ${id}  not needed`;
    case 'failed':
      return `x ${id}  ${describeError(error)}`;
  }
}

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
      instances: all.map(({ other: _, error, ...others }) => ({
        ...others,
        error: error === undefined ? null : describeError(error),
      })),
    });
  }
  if (process.exitCode !== undefined) return;
  if (all.some(({ state }) => state === 'failed')) process.exitCode = exitCode.stageFailed;
  else if (all.some(({ state }) => state === 'stale')) process.exitCode = exitCode.stale;
}

function describePushed(pushed: PushedInstance): string[] {
  const { id, state, files, replaced, other } = pushed;
  const repaired = replaced.map((key) => `! ${id}  ${key} was damaged and has been replaced`);
  switch (state) {
    case 'pushed': {
      const what = `${files} ${files === 1 ? 'file' : 'files'}, ${formatBytes(pushed.bytes)}`;
      return [
        ...repaired,
        `+ ${id}  uploaded${files === 0 ? '; its files were already there' : `: ${what}`}`,
      ];
    }
    case 'present':
      return [...repaired, `= ${id}  already there`];
    case 'theirs': {
      const made = `made on ${other?.host}, ${other?.startedAt.slice(0, 16)}Z`;
      return [`! ${id}  not replaced: the remote has different results of the same fingerprint, ${made}`];
    }
    case 'stale':
      return [`- ${id}  not uploaded: not up to date`];
    case 'failed':
      return [`x ${id}  ${describeError(pushed.error)}`];
  }
}
