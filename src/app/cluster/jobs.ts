import process from 'node:process';
import { describeError, ReproError } from '../../base/errors.ts';
import { driverEnded, findDriver, recordEvents, requeueDriver } from '../../runner/cluster/driver.ts';
import { cancelJobs } from '../../runner/cluster/job-report.ts';
import { runStageJob } from '../../runner/cluster/stage-job.ts';
import { type ClusterRun, readClusterRun, writeClusterRun } from '../../runner/jobs/jobs-folder.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { cacheFolderOf } from '../../runner/store/cache-folder.ts';
import { factsOf } from '../project/facts.ts';
import { findProjectRoot, loadCheckedPlan } from '../project/load-plan.ts';
import { useSlurm } from '../run/on-cluster.ts';
import { resolveRun, runToEnd } from '../run/run.ts';
import { printJson, printWarning, toOneLine } from '../view/print.ts';

interface ClusterOptions {
  readonly project?: string;
  readonly json?: boolean;
}

/** `repro attach`: follows the run in the job of `--detach`; without one, continues the last run here. */
export async function attach(options: ClusterOptions): Promise<void> {
  const folder = cacheFolderOf({ projectRoot: findProjectRoot(options.project ?? process.cwd()) });
  const run = readClusterRun(folder);
  if (run === null) {
    throw new ReproError('no-jobs', 'no run on a cluster is under way in this project', {
      fix: 'Begin one with `./repro run --executor slurm`.',
    });
  }
  const isFollowing = run.isOver === true || (await findDriver(folder, process.env)) !== null;
  if (run.driver !== null && !isFollowing) {
    printWarning(describeError(driverEnded(folder, run.driver)));
    await writeClusterRun(folder, { ...run, driver: null });
  }
  await repeatRun(run, options, { isFollowing });
}

/** `repro driver-job`: what the job of `--detach` runs. At the end of its time it goes back into the queue; the jobs of stages continue. */
export async function driverJob(root: string): Promise<void> {
  const run = readClusterRun({ jobs: root });
  if (run === null) return;
  let isTimeOver = false;
  process.on('SIGUSR2', () => {
    isTimeOver = true;
    process.kill(process.pid, 'SIGTERM');
  });
  await repeatRun(run, {}, { isDriver: true });
  if (isTimeOver) await requeueDriver(process.env);
}

async function repeatRun(
  run: ClusterRun,
  options: ClusterOptions,
  mode: { readonly isFollowing?: boolean; readonly isDriver?: boolean },
): Promise<void> {
  const request = { ...options, ...(run.profile === null ? {} : { profile: run.profile }), set: run.set };
  const plan = await loadCheckedPlan(request);
  const selected = selectRest(plan, run);
  const forced = new Set(run.forced.filter((id) => selected.has(id)));
  const cluster = await useSlurm(plan, mode);
  const resolved = await resolveRun(plan, { ...request, ...run.options }, { selected, forced }, cluster);
  await runToEnd(resolved, mode.isDriver === true ? recordEvents(cacheFolderOf(plan)) : undefined);
}

/** What was asked for and the plan still has, without what was cancelled since and what depends on it. */
function selectRest({ instances, dependencies }: Plan, run: ClusterRun): ReadonlySet<string> {
  const unwanted = new Set(run.cancelled);
  for (const id of instances.keys()) {
    if (dependencies.get(id)?.some((one) => unwanted.has(one)) === true) unwanted.add(id);
  }
  return new Set(run.selected.filter((id) => instances.has(id) && !unwanted.has(id)));
}

/** `repro cancel`: ends the jobs of all instances, or of those named. */
export async function cancel(targets: readonly string[], options: ClusterOptions): Promise<void> {
  const projectRoot = findProjectRoot(options.project ?? process.cwd());
  const { cancelled, driver, isDriven } = await cancelJobs(
    cacheFolderOf({ projectRoot }),
    targets,
    process.env,
  );
  if (options.json === true) {
    printJson({ version: 1, command: 'cancel', jobs: cancelled, driver });
    return;
  }
  for (const { id, job } of cancelled) process.stdout.write(`${toOneLine(id)}  job ${job} cancelled\n`);
  if (driver !== null) process.stdout.write(`job ${driver} of the run itself cancelled\n`);
  if (cancelled.length > 0 || driver !== null) return;
  process.stdout.write(
    isDriven ? 'no job yet: the run cancels what it submits\n' : 'there is no job to cancel\n',
  );
}

/** `repro stage-job`: what a job on a node runs. */
export async function stageJob(name: string, root: string): Promise<void> {
  // The script has changed to the project's folder.
  process.exitCode = await runStageJob(root, name, factsOf({ projectRoot: process.cwd() }));
}
