import { realpathSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../../base/errors.ts';
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
import { type PlanRunOptions, runPlan } from '../../runner/run/run.ts';
import { type CacheFolder, cacheFolderOf } from '../../runner/store/cache-folder.ts';
import type { RunOptions } from '../options/options.ts';
import type { PipelineOptions } from '../project/load-plan.ts';
import { toOneLine } from '../view/print.ts';

export type ClusterUse = Awaited<ReturnType<typeof useSlurm>>;

interface AskedRun {
  readonly selected: ReadonlySet<string>;
  readonly forced: ReadonlySet<string>;
  readonly options: RunOptions;
}

/**
 * Prepares a run on Slurm.
 *
 * @param mode.begins absent: it continues an earlier run, which runs in a job (`isFollowing`), in this job (`isDriver`), or nowhere
 * @throws {ConfigurationError} if configs/executors/slurm.yaml is wrong
 * @throws {ReproError} `project-name`; `locked` if another run is in a job
 */
export async function useSlurm(
  plan: Plan,
  mode: { readonly begins?: AskedRun; readonly isFollowing?: boolean; readonly isDriver?: boolean },
) {
  const settings = await readClusterSettings(plan);
  const folder = cacheFolderOf(plan);
  refuseControlCharacters(plan.projectRoot);
  const { begins, isFollowing = false, isDriver = false } = mode;
  if (begins !== undefined && begins.options.dryRun !== true) {
    const driver = await findDriver(folder, process.env);
    if (driver !== null)
      throw new ReproError('locked', `a run continues in job ${driver.job}`, { fix: otherDriver });
  }
  const main = realpathSync(process.argv[1] ?? '');
  const runner = [settings.node ?? process.execPath, main];
  const goes = (id: string): boolean => {
    const instance = plan.instances.get(id);
    return instance !== undefined && !staysLocal(instance, settings);
  };
  const start = runOnSlurm({ settings, runner });
  let noted = Promise.resolve();
  const run = async (options: PlanRunOptions): Promise<void> => {
    if (isFollowing) await followDriver(folder, options, process.env, settings.pollSeconds);
    else await runPlan(options);
  };
  return {
    adaptSession: (session: Session): Session => withFactsOfNodes(session, goes),
    /** What to show instead of what the run says: where instances would run. */
    adaptEvent: (event: RunEvent): RunEvent => {
      if (event.kind === 'would-run') return goes(event.id) ? event : { ...event, staysHere: true };
      if (event.kind === 'finished' && !isFollowing) noted = noted.then(() => noteForced(folder, event.id));
      return event;
    },
    /** Runs, or shows the run that is in a job. Says what can be done if another run keeps this one out. */
    run: (options: PlanRunOptions): Promise<void> =>
      run(options).catch((error: unknown) => {
        const isHeld = error instanceof ReproError && error.code === 'locked';
        if (!isHeld || path.dirname(error.where ?? '') !== folder.lock) throw error;
        throw new ReproError('locked', error.message, { where: error.where, fix: otherDriver, cause: error });
      }),
    otherMachines: (async (shared) => {
      const begun = await start(shared);
      if (begins !== undefined)
        await writeClusterRun(folder, { ...describeAsked(plan, begins), driver: null });
      return begun;
    }) satisfies StartOtherMachines,
    scriptsFor: (ids: readonly string[]) => renderScripts(plan, ids, { settings, runner }),
    detach: async (asked: AskedRun): Promise<void> => {
      const { projectRoot } = plan;
      const context = { settings, runner, projectRoot };
      const job = await submitDriver(folder, describeAsked(plan, asked), context, process.env);
      process.stderr.write(
        `The run continues in job ${job}. \`./repro attach\` follows it, \`./repro status\` shows its jobs, \`./repro cancel\` ends it.\n`,
      );
    },
    /** Once the run has ended, other than by a signal. */
    finish: async (): Promise<void> => {
      await noted;
      const last = readClusterRun(folder);
      if (isDriver && last !== null) await writeClusterRun(folder, { ...last, isOver: true });
      else await tidyJobs(folder);
    },
    /** After a signal: says that jobs continue without this run. */
    tellOfJobs: (): void => {
      const count = listOutstanding(folder).length;
      if (count === 0) return;
      const [jobs, them] = count === 1 ? ['1 job continues', 'it'] : [`${count} jobs continue`, 'them'];
      process.stderr.write(
        `${jobs} on the cluster. \`./repro attach\` follows ${them} again, \`./repro cancel\` ends ${them}.\n`,
      );
    },
  };
}

/** What `attach` and the job of `--detach` repeat, together with the unfinished part of an earlier run with the same profile and `--set`. */
function describeAsked(plan: Plan, { selected, forced, options }: AskedRun): Omit<ClusterRun, 'driver'> {
  const folder = cacheFolderOf(plan);
  // The default profile by its name, too: it is the same run. A plan without profiles calls its own `none`.
  const profile = options.profile ?? (plan.profile === 'none' ? null : plan.profile);
  const own = { profile, set: options.set };
  const before = readClusterRun(folder);
  const isSame =
    JSON.stringify(own) === JSON.stringify(before && { profile: before.profile, set: before.set });
  const kept = isSame && listJobs(folder).length > 0 ? before : null;
  const { failFast, jobs, gpus, pull, remote } = options;
  // The job of a detached run starts in another folder.
  const repeated: RepeatedOptions = { failFast, jobs, gpus, pull, remote };
  return {
    version: 1,
    ...own,
    selected: [...new Set([...(kept?.selected ?? []), ...selected])],
    forced: [...new Set([...(kept?.forced ?? []), ...forced])],
    cancelled: [],
    options: JSON.parse(JSON.stringify(repeated)),
  };
}

type ChoosingOption = keyof PipelineOptions | 'from' | 'until' | 'force' | 'dryRun' | 'executor' | 'detach';

/** All options but those that choose what runs, and where: a new one does not compile until it is repeated, too. */
type RepeatedOptions = {
  readonly [Name in Exclude<keyof RunOptions, ChoosingOption>]-?: RunOptions[Name] | undefined;
};

/** What has been forced to run once is not forced again. */
async function noteForced(folder: CacheFolder, id: string): Promise<void> {
  const run = readClusterRun(folder);
  if (run?.forced.includes(id) !== true) return;
  await writeClusterRun(folder, { ...run, forced: run.forced.filter((one) => one !== id) });
}

/** What to do if another run is under way. */
const otherDriver =
  '`./repro attach` follows a run in a job; `./repro status` shows its jobs in any terminal; `./repro cancel` ends it. A run in ' +
  'another terminal can be stopped there (Ctrl-C), which leaves its jobs alone, and `./repro attach` then continues it here.';

/** The script of a job names the folder in lines that Slurm reads, and a line cannot hold a line break. */
function refuseControlCharacters(projectRoot: string): void {
  if (!/\p{Cc}/u.test(projectRoot)) return;
  throw new ReproError(
    'project-name',
    'the path of this project contains a line break or another control character, which a batch script cannot name',
    { where: toOneLine(projectRoot), fix: 'Rename the folder.' },
  );
}
