import { realpathSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { PipelineOptions } from '../../apps/load-plan.ts';
import { ReproError } from '../../errors.ts';
import { type DryRunScript, renderScripts } from '../../runner/cluster/batch-script.ts';
import { cancelJobs } from '../../runner/cluster/cancel-jobs.ts';
import { withFactsOfNodes } from '../../runner/cluster/cluster-freshness.ts';
import { runOnSlurm } from '../../runner/cluster/cluster-run.ts';
import {
  type ClusterSettings,
  findUnknownStages,
  readClusterSettings,
  settingsFile,
} from '../../runner/cluster/cluster-settings.ts';
import {
  findSubmissionWarnings,
  type SubmissionWarning,
  staysLocal,
  unlimitedMachine,
} from '../../runner/cluster/instance-request.ts';
import { tellUnwatchedEnds } from '../../runner/cluster/job-report.ts';
import type { Session } from '../../runner/freshness/session.ts';
import type { PlanSelection } from '../../runner/jobs/batch.ts';
import { listBatches, listOutstanding } from '../../runner/jobs/jobs-folder.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import type { RunEvent } from '../../runner/run/events.ts';
import type { MachineResources } from '../../runner/run/machine.ts';
import type { StartOtherMachines } from '../../runner/run/other-machines.ts';
import { cacheFolderOf } from '../../runner/store/cache-folder.ts';
import { suggestName } from '../../schema/closest-name.ts';
import type { SignalListener } from '../process/ending.ts';
import { toOneLine } from '../view/safe-text.ts';

/** How a run uses a cluster. */
export interface ClusterUse {
  readonly otherMachines: StartOtherMachines;
  readonly adaptSession: (session: Session) => Session;
  /** For what only asks how a run would go: there, everything fits. */
  readonly unlimited: MachineResources;
  /** What to show instead of what the run says: where instances would run, and what jobs have done while nobody watched. */
  readonly adaptEvent: (event: RunEvent) => RunEvent;
  readonly scriptsFor: (ids: readonly string[]) => DryRunScript[];
  readonly warningsAbout: (ids: readonly string[]) => SubmissionWarning[];
}

/**
 * Prepares a run on Slurm.
 *
 * @param mode.isDetached submit and leave; `isAttached`: take note of failures, rather than submit again
 * @throws {ConfigurationError} if configs/executors/slurm.yaml is wrong
 * @throws {ReproError} `configuration` if it names unknown stages; `project-name`
 */
export async function useSlurm(
  plan: Plan,
  options: PipelineOptions,
  mode: { readonly isDetached: boolean; readonly isAttached: boolean },
): Promise<ClusterUse> {
  const settings = await readClusterSettings(plan.projectRoot);
  refuseUnknownStages(plan, settings);
  refuseControlCharacters(plan.projectRoot);
  const selection: PlanSelection = { profile: profileOf(plan, options), set: options.set };
  const runner = [settings.node ?? process.execPath, realpathSync(process.argv[1] ?? '')];
  const goes = (id: string): boolean => {
    const instance = plan.instances.get(id);
    return instance !== undefined && !staysLocal(instance, settings);
  };
  const tellUnwatched = mode.isAttached
    ? tellUnwatchedEnds(plan, listBatches(cacheFolderOf(plan).jobs))
    : (event: RunEvent) => event;
  return {
    adaptSession: (session) => withFactsOfNodes(session, goes),
    adaptEvent: (event) => {
      if (event.kind === 'would-run') return goes(event.id) ? event : { ...event, staysHere: true };
      return tellUnwatched(event);
    },
    otherMachines: runOnSlurm({ settings, selection, runner, ...mode }),
    unlimited: unlimitedMachine(plan),
    scriptsFor: (ids) => renderScripts(plan, ids, { settings, runner }),
    warningsAbout: (ids) => findSubmissionWarnings(plan, ids, settings),
  };
}

/** The default one by its name, too: it is the same run. null if the pipeline has none, which a plan calls `none`. */
function profileOf({ profile }: Plan, options: PipelineOptions): string | null {
  return options.profile ?? (profile === 'none' ? null : profile);
}

function refuseUnknownStages(plan: Plan, settings: ClusterSettings): void {
  const stages = [...new Set([...plan.instances.values()].map(({ stage }) => stage)), ...plan.inactive];
  const [unknown] = findUnknownStages(settings, stages);
  if (unknown === undefined) return;
  throw new ReproError('configuration', `stages: the pipeline has no stage "${unknown}"`, {
    where: settingsFile,
    fix: suggestName(unknown, stages),
  });
}

/** The script of a job names the folder in lines that Slurm reads, and a line cannot hold a line break. */
function refuseControlCharacters(projectRoot: string): void {
  if (!/\p{Cc}/u.test(projectRoot)) return;
  throw new ReproError(
    'project-name',
    'the path of this project contains a line break or another control character, which a batch script cannot name',
    { where: toOneLine(projectRoot), fix: 'Rename the folder.' },
  );
}

/** How long a second Ctrl-C is waited for. */
const secondPressWithinMs = 3_000;

/** Says that jobs go on without this run; on a terminal, a second Ctrl-C, before or after that, asks whether they shall. */
export async function leave(plan: Plan, signals: SignalListener): Promise<void> {
  const folder = cacheFolderOf(plan);
  const count = listOutstanding(folder).length;
  if (count === 0) return;
  const [jobs, verb, them] =
    count === 1 ? ['1 job', 'continues', 'it'] : [`${count} jobs`, 'continue', 'them'];
  process.stderr.write(
    `${jobs} ${verb} on the cluster. \`./repro attach\` waits for ${them}, \`./repro cancel\` ends ${them}.\n`,
  );
  const isOnTerminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  if (signals.received() !== 'SIGINT' || !isOnTerminal) return;
  const { again } = signals;
  if (!again.aborted) {
    process.stderr.write(`To end ${them} now, press Ctrl-C again.\n`);
    await wait(secondPressWithinMs, undefined, { signal: again }).catch(() => {});
  }
  if (!again.aborted || !(await asks(`Cancel ${jobs}? [y/N] `))) return;
  await cancelJobs(folder, [], process.env);
  process.stderr.write(`${jobs} cancelled\n`);
}

async function asks(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Another Ctrl-C is no consent.
  const none = new AbortController();
  lines.on('SIGINT', () => none.abort());
  try {
    return /^y(es)?$/i.test((await lines.question(question, { signal: none.signal })).trim());
  } catch {
    return false;
  } finally {
    lines.close();
  }
}
