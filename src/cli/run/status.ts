import { existsSync } from 'node:fs';
import process from 'node:process';
import { isDeepStrictEqual } from 'node:util';
import { factsOf } from '../../apps/facts.ts';
import { findProjectRoot, loadCheckedPlan, type PipelineOptions } from '../../apps/load-plan.ts';
import { describeError } from '../../errors.ts';
import type { JobReport, JobReports } from '../../runner/cluster/job-report.ts';
import { describeSelection, type PlanSelection } from '../../runner/jobs/batch.ts';
import { readSubmittedRun } from '../../runner/jobs/submitted-run.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { type InstanceStatus, readStatus } from '../../runner/run/status.ts';
import { cacheFolderOf } from '../../runner/store/cache-folder.ts';
import { exitCode } from '../process/ending.ts';
import { describeAttempt } from '../view/event-text.ts';
import { formatSeconds } from '../view/format.ts';
import { colorsFor, printJson, printWarning } from '../view/print.ts';
import { toLines, toOneLine } from '../view/safe-text.ts';

interface StatusOptions extends PipelineOptions {
  readonly exitCode?: boolean;
}

const words = {
  fresh: 'up to date',
  restorable: 'to restore',
  stale: 'stale',
  'never-run': 'never run',
  failed: 'failed',
  running: 'running',
  error: 'error',
} as const;

/** The width of the column of words, with the spaces around it. */
const indent = 14;

type Shown = InstanceStatus & { readonly job?: JobReport };

/** A job whose instance is not in the graph that is shown. */
type OtherJob = JobReport & { readonly id: string };

/** `repro status`: a line for each instance, with every reason why it is stale; more for one that fails or is under way. */
export async function status(targets: readonly string[], options: StatusOptions): Promise<void> {
  const run = findShownRun(options);
  const request =
    run === null
      ? options
      : { ...options, ...(run.profile !== null && { profile: run.profile }), set: run.set };
  const plan = await loadCheckedPlan(request, printWarning);
  const { selected, named } = selectInstances(plan, { targets });
  const all = await readStatus(plan, { facts: factsOf(plan.projectRoot), selected });
  const { jobs, problems } = await readJobs(plan);
  for (const problem of problems) printProblem(problem);
  const wanted = all
    .filter((one) => named.has(one.id))
    .map((one): Shown => {
      const job = jobs.get(one.id);
      return job === undefined ? one : { ...one, job };
    });
  const otherJobs = [...jobs].flatMap(([id, job]) => (plan.instances.has(id) ? [] : [{ id, ...job }]));
  if (options.json === true) {
    printJson({
      version: 1,
      command: 'status',
      profile: plan.profile,
      ...(run === null ? {} : { submitted: run }),
      instances: wanted,
      inactive: plan.inactive,
      ...(otherJobs.length === 0 ? {} : { otherJobs }),
    });
  } else {
    if (run !== null) {
      process.stdout.write(`showing the cluster run in progress: ${describeSelection(run)}\n`);
    }
    printStatus(plan, request, wanted, otherJobs);
  }
  if (wanted.some((one) => one.state === 'error')) process.exitCode = exitCode.stageFailed;
  else if (options.exitCode === true && wanted.some((one) => one.state !== 'fresh'))
    process.exitCode = exitCode.stale;
}

function printStatus(
  plan: Plan,
  request: PipelineOptions,
  wanted: readonly Shown[],
  otherJobs: readonly OtherJob[],
): void {
  const c = colorsFor(process.stdout);
  const paint = {
    fresh: c.green,
    restorable: c.cyan,
    stale: c.yellow,
    'never-run': c.yellow,
    failed: c.red,
    running: c.cyan,
    error: c.red,
  };
  const width = Math.max(0, ...[...wanted, ...otherJobs].map((one) => one.id.length));
  const print = (id: string, word: string, [first = '', ...more]: readonly string[]): void => {
    process.stdout.write(`${`${id.padEnd(width)}  ${word}  ${first}`.trimEnd()}\n`);
    for (const line of more) process.stdout.write(`${' '.repeat(width + indent)}${line}\n`);
  };
  for (const one of wanted) {
    const { job } = one;
    const isOther = job !== undefined && isOfAnotherRun(job.selection, plan, request);
    const lines = [
      ...(job === undefined ? [] : describeJob(job, isOther)),
      ...linesOf(one, plan.projectRoot),
    ];
    const state = job !== undefined && !isOther && hasFailed(job) ? 'failed' : one.state;
    const reasons = [toOneLine(one.reasons.map((reason) => reason.text).join('; '))];
    print(one.id, paint[state](words[state].padEnd(10)), lines.length === 0 ? reasons : lines);
  }
  for (const one of otherJobs) {
    const word = hasFailed(one) ? c.red('failed'.padEnd(10)) : c.dim('other run '.padEnd(10));
    print(toOneLine(one.id), word, describeJob(one, true));
  }
  for (const stage of plan.inactive) {
    process.stdout.write(`${stage.padEnd(width)}  ${c.dim(`not part of profile ${plan.profile}`)}\n`);
  }
}

/** The run on a cluster that is under way, unless the options name another one; null if there is none. */
function findShownRun({ profile, set, project }: StatusOptions): PlanSelection | null {
  const { jobs } = cacheFolderOf({ projectRoot: findProjectRoot(project ?? process.cwd()) });
  if (!existsSync(jobs) || profile !== undefined || set.length > 0) return null;
  try {
    const run = readSubmittedRun({ jobs });
    return run === null ? null : { profile: run.profile, set: run.set };
  } catch (error) {
    // The rest of the status is still useful.
    printProblem(error);
    return null;
  }
}

function printProblem(problem: unknown): void {
  process.stderr.write(`${toLines(describeError(problem)).join('\n')}\n`);
}

/** One whose time was over goes on. */
function hasFailed({ verdict }: JobReport): boolean {
  return verdict.kind === 'failed' && verdict.code !== 'timeout';
}

async function readJobs(plan: Plan): Promise<JobReports> {
  const folder = cacheFolderOf(plan);
  if (!existsSync(folder.jobs)) return { jobs: new Map(), problems: [] };
  return (await import('../../runner/cluster/job-report.ts')).readJobReports(folder, process.env);
}

/** What there is to say instead of reasons. */
function linesOf({ id, error, attempt, job }: Shown, projectRoot: string): string[] {
  if (error !== undefined) return toLines(error.text);
  if (attempt === undefined) return [];
  const lines = describeAttempt(id, attempt, projectRoot);
  // The job says better who runs it, or how it failed.
  return job === undefined || (attempt.failure !== null && !hasFailed(job)) ? lines : lines.slice(-1);
}

/**
 * `job 12_3 runs on node7 for 2 h 05 min`, `job 12_3 waits (Priority)`; of one that has failed, also the rest of what it says.
 *
 * @param isOther whether it is of another run than the one shown
 */
export function describeJob(report: JobReport, isOther = false): string[] {
  const [first = '', ...more] = describe(report);
  return [isOther ? `${first} (of ${describeSelection(report.selection)})` : first, ...more];
}

const noted = '`./repro attach` records it';

function describe({ job, status, isRunning, hasEnded, verdict }: JobReport): string[] {
  const name = job === null ? 'a job being submitted' : `job ${job}`;
  if (verdict.kind === 'failed') {
    const [reason = '', ...more] = toLines(verdict.text);
    return [`${reason.includes(name) ? reason : `${name} failed: ${reason}`}; ${noted}`, ...more];
  }
  if (verdict.kind === 'dropped') {
    return [`${name} never ran, because a job that it depends on failed; ${noted}`];
  }
  if (hasEnded) return [`${name} has succeeded; ${noted}`];
  if (status === null) return [`${name}: Slurm reports no status now`];
  const { state, reason, node, elapsedSeconds } = status;
  const why = reason === null ? '' : ` (${toOneLine(reason)})`;
  if (!isRunning) return [state === 'PENDING' ? `${name} waits${why}` : `${name} is ${state}${why}`];
  return [`${name} runs on ${toOneLine(node ?? 'a node')} for ${formatSeconds(elapsedSeconds ?? 0)}`];
}

function isOfAnotherRun(
  selection: PlanSelection,
  plan: Plan,
  { profile, set }: Pick<PipelineOptions, 'profile' | 'set'>,
): boolean {
  const named = profile ?? (plan.profile === 'none' ? null : plan.profile);
  return !isDeepStrictEqual(selection, { profile: named, set });
}
