import { realpathSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { PipelineOptions } from '../../apps/load-plan.ts';
import { ReproError } from '../../errors.ts';
import { readClusterSettings, staysLocal } from '../../runner/cluster/cluster-settings.ts';
import { findDriver, followDriver, submitDriver } from '../../runner/cluster/driver.ts';
import { runOnSlurm, withFactsOfNodes } from '../../runner/cluster/slurm-run.ts';
import { renderScripts } from '../../runner/cluster/submitter.ts';
import type { Session } from '../../runner/freshness/session.ts';
import {
  type ClusterRun,
  listJobs,
  listOutstanding,
  readClusterRun,
  tidyJobs,
  writeClusterRun,
} from '../../runner/jobs/jobs-folder.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import type { RunEvent } from '../../runner/run/events.ts';
import type { StartOtherMachines } from '../../runner/run/execution-context.ts';
import { cacheFolderOf } from '../../runner/store/cache-folder.ts';
import { toOneLine } from '../view/print.ts';
import type { RunOptions } from './run-options.ts';

/** How a run uses a cluster. */
export type ClusterUse = Awaited<ReturnType<typeof useSlurm>>;

/** What is to run, and what of it even if nothing has changed. */
interface RequestedRun {
  readonly selected: ReadonlySet<string>;
  readonly forced: ReadonlySet<string>;
}

/**
 * Prepares a run on Slurm.
 *
 * @param mode.isAttached it goes on with an earlier one; `isFollowing`: that goes on in a job; `isDriver`: this is that job
 * @throws {ConfigurationError} if configs/executors/slurm.yaml is wrong
 * @throws {ReproError} `project-name`; `locked` if another run goes on in a job
 */
export async function useSlurm(
  plan: Plan,
  options: RunOptions,
  mode: {
    readonly isAttached?: boolean;
    readonly isFollowing?: boolean;
    readonly isDriver?: boolean;
    readonly requested?: RequestedRun;
  },
) {
  const settings = await readClusterSettings(plan);
  const folder = cacheFolderOf(plan);
  refuseControlCharacters(plan.projectRoot);
  const { isAttached = false, isFollowing = false, isDriver = false, requested } = mode;
  if (!isAttached && options.dryRun !== true) {
    const driver = await findDriver(folder, process.env);
    if (driver !== null)
      throw new ReproError('locked', `a run goes on in job ${driver.job}`, { fix: otherDriver });
  }
  const main = realpathSync(process.argv[1] ?? '');
  const runner = [settings.node ?? process.execPath, main];
  const goes = (id: string): boolean => {
    const instance = plan.instances.get(id);
    return instance !== undefined && !staysLocal(instance, settings);
  };
  const describeRun = ({ selected, forced }: RequestedRun): Omit<ClusterRun, 'driver'> => {
    const own = { profile: profileOf(plan, options), set: options.set };
    const before = readClusterRun(folder);
    const isSame =
      JSON.stringify(own) === JSON.stringify(before && { profile: before.profile, set: before.set });
    const isAdded = isSame && listJobs(folder).length > 0;
    const { failFast, jobs, gpus, pull, remote } = options;
    // The job of a detached run starts in another folder.
    const trust = options.trust && path.resolve(options.trust);
    return {
      version: 1,
      ...own,
      selected: [...new Set([...(isAdded ? (before?.selected ?? []) : []), ...selected])],
      forced: [...new Set([...(isAdded ? (before?.forced ?? []) : []), ...forced])],
      cancelled: [],
      options: JSON.parse(JSON.stringify({ failFast, jobs, gpus, pull, remote, trust })),
    };
  };
  const start = runOnSlurm({ settings, runner });
  let noted = Promise.resolve();
  return {
    adaptSession: (session: Session): Session => withFactsOfNodes(session, goes),
    /** What to show instead of what the run says: where instances would run. */
    adaptEvent: (event: RunEvent): RunEvent => {
      if (event.kind === 'would-run') return goes(event.id) ? event : { ...event, staysHere: true };
      if (event.kind === 'finished' && !isFollowing) noted = noted.then(() => noteForced(plan, event.id));
      return event;
    },
    /** Shows the run that goes on in a job, instead of running. */
    follow: isFollowing
      ? (run: Parameters<typeof followDriver>[1]) =>
          followDriver(folder, run, process.env, settings.pollSeconds)
      : null,
    otherMachines: (async (run) => {
      const begun = await start(run);
      if (requested !== undefined) await writeClusterRun(folder, { ...describeRun(requested), driver: null });
      return begun;
    }) satisfies StartOtherMachines,
    scriptsFor: (ids: readonly string[]) => renderScripts(plan, ids, { settings, runner }),
    /** Submits the run itself, and says so. */
    detach: async (run: RequestedRun): Promise<void> => {
      const { projectRoot } = plan;
      const job = await submitDriver(
        folder,
        describeRun(run),
        { settings, runner, projectRoot },
        process.env,
      );
      process.stderr.write(
        `The run goes on in job ${job}. \`./repro attach\` follows it, \`./repro status\` shows its jobs, \`./repro cancel\` ends it.\n`,
      );
    },
    /** Once the run has ended, other than by a signal. */
    finish: async (): Promise<void> => {
      await noted;
      const run = readClusterRun(folder);
      if (isDriver && run !== null) await writeClusterRun(folder, { ...run, isOver: true });
      else await tidyJobs(folder);
    },
  };
}

/** What has been forced to run once is not forced again. */
async function noteForced(plan: Plan, id: string): Promise<void> {
  const folder = cacheFolderOf(plan);
  const run = readClusterRun(folder);
  if (run?.forced.includes(id) !== true) return;
  await writeClusterRun(folder, { ...run, forced: run.forced.filter((one) => one !== id) });
}

/** What to do where another run goes on. */
export const otherDriver =
  '`./repro attach` follows a run that goes on in a job; `./repro status` shows its jobs in any terminal; `./repro cancel` ends it. A run in ' +
  'another terminal can be stopped there (Ctrl-C), which leaves its jobs alone, and `./repro attach` then goes on with it here.';

/** The default one by its name, too: it is the same run. null if the pipeline has none, which a plan calls `none`. */
function profileOf({ profile }: Plan, options: PipelineOptions): string | null {
  return options.profile ?? (profile === 'none' ? null : profile);
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

/** After a signal: says that jobs go on without this run. */
export function tellOfJobs(plan: Plan): void {
  const count = listOutstanding(cacheFolderOf(plan)).length;
  if (count === 0) return;
  const [jobs, them] = count === 1 ? ['1 job continues', 'it'] : [`${count} jobs continue`, 'them'];
  process.stderr.write(
    `${jobs} on the cluster. \`./repro attach\` takes ${them} up again, \`./repro cancel\` ends ${them}.\n`,
  );
}
