import process from 'node:process';
import { factsOf } from '../../apps/facts.ts';
import { loadCheckedPlan, type PipelineOptions } from '../../apps/load-plan.ts';
import { describeError } from '../../errors.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { type Pulled, pullPlan } from '../../runner/share/pull-plan.ts';
import { formatBytes } from '../../text.ts';
import { openConfiguredRemote, printTransfer, transferUntilStopped } from '../options/remote.ts';
import { exitCode } from '../process/exit-code.ts';
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
    const fetch =
      options.locked === true
        ? (await import('../../runner/share/pull-committed.ts')).pullCommitted
        : pullPlan;
    await fetch(plan, {
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
      `${left} ${left === 1 ? 'stage' : 'stages'} before that ${left === 1 ? 'was' : 'were'} not fetched, so a run would compute ${left === 1 ? 'it' : 'them'}; to fetch all: ./repro cache pull without a stage\n`,
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
        ? `+ ${id}  its files were here${placed}`
        : `+ ${id}  ${files} ${files === 1 ? 'file' : 'files'} fetched, ${formatBytes(bytes)}${placed}`;
    case 'absent':
      return `- ${id}  not in the remote cache`;
    case 'waiting':
      return `- ${id}  unknown: the remote cache has not all that it depends on`;
    case 'skipped':
      return `= ${id}  not needed`;
    case 'failed':
      return `x ${id}  ${describeError(error)}`;
  }
}
