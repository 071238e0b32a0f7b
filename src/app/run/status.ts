import { existsSync } from 'node:fs';
import process from 'node:process';
import { describeError } from '../../base/errors.ts';
import { quoteWords } from '../../base/files/shell-words.ts';
import type { JobReport, JobReports } from '../../runner/cluster/job-report.ts';
import { type ClusterRun, readClusterRun } from '../../runner/jobs/jobs-folder.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { type InstanceStatus, readStatus } from '../../runner/run/status.ts';
import { cacheFolderOf } from '../../runner/store/cache-folder.ts';
import { durationOf } from '../../runner/store/records.ts';
import { exitCode } from '../process/ending.ts';
import { factsOf } from '../project/facts.ts';
import { findProjectRoot, loadCheckedPlan, type PipelineOptions } from '../project/load-plan.ts';
import { describeAttempt } from '../view/event-text.ts';
import { formatLeft, formatSeconds } from '../view/format.ts';
import { colorsFor, printJson, toLines, toOneLine } from '../view/print.ts';
import { type InstanceState, InstanceView } from '../view/run-state.ts';
import { estimateSecondsLeft } from '../view/time-left.ts';
import { describeEvidence, readEvidence } from './evidence.ts';

interface StatusOptions extends PipelineOptions {
  readonly exitCode?: boolean;
}

/** A word for each state, and its colour. */
const words = {
  fresh: ['up to date', 'green'],
  restorable: ['to restore', 'cyan'],
  stale: ['stale', 'yellow'],
  'never-run': ['never run', 'yellow'],
  failed: ['failed', 'red'],
  running: ['running', 'cyan'],
  error: ['error', 'red'],
} as const;

const indent = 14;

type Shown = InstanceStatus & { readonly job?: JobReport };

type OtherJob = JobReport & { readonly id: string };

/** `repro status`: a line for each instance, with every reason why it is stale; more for one that fails or is under way. */
export async function status(targets: readonly string[], options: StatusOptions): Promise<void> {
  const run = await findShownRun(options);
  const request =
    run === null
      ? options
      : { ...options, ...(run.profile !== null && { profile: run.profile }), set: run.set };
  const plan = await loadCheckedPlan(request, { targets });
  const { selected, named } = selectInstances(plan, { targets });
  const all = await readStatus(plan, { facts: factsOf(plan), selected });
  const { jobs, driver, isDriven } = await readJobs(plan);
  const wanted = all
    .filter((one) => named.has(one.id))
    .map((one): Shown => {
      const job = jobs.get(one.id);
      return job === undefined ? one : { ...one, job };
    });
  const isFresh = new Set(all.flatMap(({ id, state }) => (state === 'fresh' ? [id] : [])));
  const isWhole = targets.length === 0;
  const evidence = isWhole ? await quietly(() => readEvidence(plan, (id) => isFresh.has(id)), null) : null;
  const progress = isWhole ? progressOf(all) : null;
  const otherJobs = [...jobs].flatMap(([id, job]) => (plan.instances.has(id) ? [] : [{ id, ...job }]));
  if (options.json === true) {
    printJson({
      version: 1,
      command: 'status',
      profile: plan.profile,
      ...(run === null ? {} : { submitted: { profile: run.profile, set: run.set } }),
      ...(driver === null ? {} : { driver }),
      instances: wanted,
      inactive: plan.inactive,
      ...(otherJobs.length === 0 ? {} : { otherJobs }),
      ...(progress === null ? {} : { secondsLeft: progress.secondsLeft }),
      ...(evidence === null ? {} : { evidence }),
    });
  } else {
    const isOver = run?.isOver === true;
    if (run !== null) {
      const what = isOver ? 'that has ended' : 'in progress';
      process.stdout.write(`showing the cluster run ${what}: ${describeRun(run)}\n`);
    }
    if (driver !== null) process.stdout.write(`the run itself: ${describe(driver, true)[0]}\n`);
    else if (run !== null && !isDriven && !isOver) {
      process.stdout.write('no runner is at work: `./repro attach` continues the run\n');
    }
    printStatus(plan, wanted, otherJobs, isDriven);
    const closing = [
      ...(progress === null ? [] : [progress.words]),
      ...(evidence === null ? [] : describeEvidence(evidence)),
    ];
    if (closing.length > 0) process.stdout.write(`\n${closing.join('\n')}\n`);
  }
  if (wanted.some((one) => one.state === 'error')) process.exitCode = exitCode.stageFailed;
  else if (options.exitCode === true && wanted.some((one) => one.state !== 'fresh'))
    process.exitCode = exitCode.stale;
}

function printStatus(
  plan: Plan,
  wanted: readonly Shown[],
  otherJobs: readonly OtherJob[],
  isDriven: boolean,
): void {
  const c = colorsFor(process.stdout);
  const width = Math.max(0, ...[...wanted, ...otherJobs].map((one) => one.id.length));
  const print = (id: string, word: string, [first = '', ...more]: readonly string[]): void => {
    process.stdout.write(`${`${id.padEnd(width)}  ${word}  ${first}`.trimEnd()}\n`);
    for (const line of more) process.stdout.write(`${' '.repeat(width + indent)}${line}\n`);
  };
  for (const one of wanted) {
    const { job } = one;
    const lines = [...(job === undefined ? [] : describe(job, isDriven)), ...linesOf(one, plan.projectRoot)];
    const state = job?.outcome === 'failed' ? 'failed' : one.state;
    const reasons = [toOneLine(one.reasons.map((reason) => reason.text).join('; '))];
    const [word, colour] = words[state];
    print(one.id, c[colour](word.padEnd(10)), lines.length === 0 ? reasons : lines);
  }
  for (const one of otherJobs) {
    const isFailed = one.outcome === 'failed';
    const word = isFailed ? c.red('failed'.padEnd(10)) : c.dim('other run '.padEnd(10));
    print(toOneLine(one.id), word, describe(one, isDriven));
  }
  for (const stage of plan.inactive) {
    process.stdout.write(`${stage.padEnd(width)}  ${c.dim(`not part of profile ${plan.profile}`)}\n`);
  }
}

/** How far the run is that is under way, in words, and an estimate of the time it still takes; null if nothing runs, and all or nothing is made. */
function progressOf(all: readonly InstanceStatus[]): { words: string; secondsLeft: number | null } | null {
  const views = all.map(({ id, state, attempt, record, isPresent }) => {
    const made = isPresent && record !== null ? durationOf(record) : null;
    return Object.assign(new InstanceView(id), {
      state: state === 'running' ? state : made === null ? 'waiting' : 'cached',
      ...{ startedMs: Date.parse(attempt?.startedAt ?? ''), madeInSeconds: made },
    } as const);
  });
  const count = (wanted: InstanceState): number => views.filter(({ state }) => state === wanted).length;
  const running = count('running');
  const made = count('cached');
  const done = `${made} of ${all.length} done`;
  if (running === 0)
    return made === 0 || made === all.length ? null : { words: `${done}, none running`, secondsLeft: null };
  const secondsLeft = estimateSecondsLeft(views, running, Date.now());
  const left = secondsLeft === null ? '' : `, about ${formatLeft(secondsLeft)} left`;
  return { words: `${done}, ${running} running${left}`, secondsLeft };
}

/** The run on a cluster that is under way, unless the options name another one; null if there is none. */
async function findShownRun({ profile, set, project }: StatusOptions): Promise<ClusterRun | null> {
  const { jobs } = cacheFolderOf({ projectRoot: findProjectRoot(project ?? process.cwd()) });
  if (!existsSync(jobs) || profile !== undefined || set.length > 0) return null;
  return quietly(() => readClusterRun({ jobs }), null);
}

function describeRun({ profile, set }: ClusterRun): string {
  const named = [
    ...(profile === null ? [] : ['--profile', profile]),
    ...set.flatMap((one) => ['--set', one]),
  ];
  return named.length === 0 ? 'the default profile' : quoteWords(named);
}

/** If something cannot be read, the rest is still worth showing. */
async function quietly<Value>(read: () => Value | Promise<Value>, otherwise: Value): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    process.stderr.write(`${toLines(describeError(error)).join('\n')}\n`);
    return otherwise;
  }
}

async function readJobs(plan: Plan): Promise<JobReports> {
  const folder = cacheFolderOf(plan);
  const none: JobReports = { jobs: new Map(), driver: null, isDriven: false };
  if (!existsSync(folder.jobs)) return none;
  const { readJobReports } = await import('../../runner/cluster/job-report.ts');
  return quietly(() => readJobReports(folder, process.env), none);
}

function linesOf({ id, error, attempt, job }: Shown, projectRoot: string): string[] {
  if (error !== undefined) return toLines(error.text);
  if (attempt === undefined) return [];
  const lines = describeAttempt(id, attempt, projectRoot);
  // The job says better who runs it, or how it failed.
  return job === undefined || (attempt.failure !== null && job.outcome !== 'failed')
    ? lines
    : lines.slice(-1);
}

/** `job 12_3 runs on node7 for 2 h 05 min`, `job 12_3 waits (Priority)`; of one that has failed, also the rest of what it says. */
function describe(
  { job, status, isRunning, startedMs, outcome, failure }: JobReport,
  isDriven: boolean,
): string[] {
  const name = job === null ? 'a job being submitted' : `job ${job}`;
  const noted = isDriven ? '' : '; `./repro attach` records it';
  if (failure !== null) {
    const [reason = '', ...more] = toLines(failure);
    return [`${reason.includes(name) ? reason : `${name} failed: ${reason}`}${noted}`, ...more];
  }
  if (outcome === 'ended') return [`${name} has succeeded${noted}`];
  if (status === null) return [`${name}: Slurm reports no status now`];
  const { state, reason, node } = status;
  const why = reason === null ? '' : ` (${toOneLine(reason)})`;
  if (outcome === 'unreported') return [`${name} has ended as ${state}${why}; its report may still appear`];
  if (!isRunning) return [state === 'PENDING' ? `${name} waits${why}` : `${name} is ${state}${why}`];
  const since = startedMs === null ? '' : ` for ${formatSeconds((Date.now() - startedMs) / 1000)}`;
  return [`${name} runs on ${toOneLine(node ?? 'a node')}${since}`];
}
