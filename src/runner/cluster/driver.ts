import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ReproError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files/atomic-file.ts';
import { renderJobScript } from '../executors/slurm/job-script.ts';
import { explainSubmission, isOver, type JobStatus, Slurm, unanswered } from '../executors/slurm/slurm.ts';
import { type ClusterRun, readClusterRun, tidyJobs, writeClusterRun } from '../jobs/jobs-folder.ts';
import type { Plan } from '../plan/plan.ts';
import type { RunEvent } from '../run/events.ts';
import type { PlanRunOptions } from '../run/run.ts';
import type { CacheFolder } from '../store/cache-folder.ts';
import { driverRequest, settingsFile } from './cluster-settings.ts';
import { AppendedLines } from './job-files.ts';
import { type ClusterContext, commentOf } from './submitter.ts';

// The job of `--detach`: the run itself, on a node. It repeats what `jobs/run.json` says, and writes its events to a file.

type JobsFolder = Pick<CacheFolder, 'jobs'>;

const eventsFileIn = ({ jobs }: JobsFolder): string => path.join(jobs, 'events.ndjson');
const logFileIn = ({ jobs }: JobsFolder): string => path.join(jobs, 'driver.log');

/**
 * Submits a run as a job of its own.
 *
 * @returns the id of the job
 * @throws {ReproError} `slurm-refused`, `slurm-unreachable`, `slurm-missing`
 */
export async function submitDriver(
  folder: JobsFolder,
  run: Omit<ClusterRun, 'driver'>,
  { settings, runner, projectRoot }: Pick<ClusterContext, 'settings' | 'runner'> & Pick<Plan, 'projectRoot'>,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const slurm = await Slurm.connect(environment);
  const scriptFile = path.join(folder.jobs, 'driver.sh');
  // What this shell has, since stages may ask for any of it; but not what is Slurm's.
  const passed = Object.entries(environment).filter(
    (pair): pair is [string, string] =>
      pair[1] !== undefined && /^\w+$/.test(pair[0]) && !/^(SLURM|SBATCH)_(?!CONF)|^TMPDIR$/.test(pair[0]),
  );
  await fs.rm(eventsFileIn(folder), { force: true });
  await fs.rm(logFileIn(folder), { force: true });
  await writeClusterRun(folder, { ...run, driver: null });
  const script = renderJobScript({
    request: driverRequest(settings),
    name: 'repro.driver',
    comment: commentOf(projectRoot),
    ...{ environment: Object.fromEntries(passed), requeues: true, projectRoot },
    logFile: logFileIn(folder),
    about: 'the run itself, which submits the stages',
    folder: folder.jobs,
    prelude: settings.prelude,
    command: [...runner, 'driver-job'],
  });
  await writeFileAtomic(scriptFile, script, { mode: 0o600 });
  const answer = await slurm.submit(scriptFile);
  if (answer.kind === 'ok') {
    await writeClusterRun(folder, { ...run, driver: answer.text });
    return answer.text;
  }
  if (answer.kind === 'refused') {
    await tidyJobs(folder);
    throw explainSubmission(answer.text, `${settingsFile} (driver)`);
  }
  throw unanswered(`${answer.text}; it may have accepted the job \`repro.driver\` all the same`);
}

/** Progress is shown to who attaches, and not kept for each second of a training. */
const progressEveryMs = 15_000;

/** Writes the events of a run to its file, for those who follow it. */
export function recordEvents(folder: JobsFolder): (event: RunEvent) => void {
  const lastMs = new Map<string, number>();
  return (event) => {
    const atMs = Date.now();
    if (event.kind === 'progress') {
      if (atMs - (lastMs.get(event.id) ?? 0) < progressEveryMs) return;
      lastMs.set(event.id, atMs);
    }
    try {
      const recorded = event.kind === 'progress' ? { ...event, atMs } : event;
      appendFileSync(eventsFileIn(folder), `${JSON.stringify(recorded)}\n`);
    } catch {
      // Only those who follow miss it.
    }
  };
}

/** The driver's job, unless it has ended or there is none. `status` is null if Slurm does not answer. */
export async function findDriver(
  folder: JobsFolder,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly job: string; readonly status: JobStatus | null } | null> {
  const job = readClusterRun(folder)?.driver ?? null;
  if (job === null) return null;
  const status = (await new Slurm(environment).readStates([job])).stateOf(job);
  return isOver(status) ? null : { job, status };
}

/** How often the file of events is read. */
const lookEveryMs = 500;

/**
 * Passes on the events of the run in the driver's job, from the first, until that job has ended.
 *
 * @throws {ReproError} `driver-ended` if it ended before the run did; `cancelled`
 */
export async function followDriver(
  folder: JobsFolder,
  { signal, onEvent }: Pick<PlanRunOptions, 'signal' | 'onEvent'>,
  environment: NodeJS.ProcessEnv,
  pollSeconds: number,
): Promise<void> {
  const job = readClusterRun(folder)?.driver ?? '';
  const events = new AppendedLines(eventsFileIn(folder));
  let [nextPollMs, isDone, shown] = [0, false, ''];
  while (!signal.aborted) {
    const isDue = isDone || performance.now() >= nextPollMs;
    if (isDue) nextPollMs = performance.now() + pollSeconds * 1000;
    // First, so that all that it has written is read once it has ended.
    const driver = isDue ? await findDriver(folder, environment) : undefined;
    for (const line of events.read()) {
      const event = JSON.parse(line) as RunEvent;
      isDone = event.kind === 'run-finished' && event.outcome !== 'interrupted';
      onEvent(event);
    }
    if (driver === null && isDone) return;
    if (driver === null) throw driverEnded(folder, job);
    const reason = driver?.status?.reason ?? null;
    const text = `the run waits as job ${job}${reason === null ? '' : ` (${reason})`}`;
    if (driver?.status?.state === 'PENDING' && text !== shown) {
      shown = text;
      onEvent({ kind: 'note', id: 'run', level: 'note', text });
    }
    await wait(lookEveryMs, undefined, { signal }).catch(() => {});
  }
}

/** What to tell of a driver's job that has ended before the run was done. */
export function driverEnded(folder: JobsFolder, job: string): ReproError {
  const run = readClusterRun(folder);
  // `cancel` names all stages before it ends this job, and removes the file after.
  if (run === null || run.selected.every((id) => run.cancelled.includes(id))) {
    return new ReproError('cancelled', 'the run was cancelled by `./repro cancel`.', {
      fix: '`./repro run --executor slurm` submits it again.',
    });
  }
  const where = logFileIn(folder);
  const log = existsSync(where) ? readFileSync(where, 'utf8').trim().split('\n') : [];
  const said = [`job ${job} of the run itself has ended before the run was done`, ...log.slice(-10)];
  return new ReproError('driver-ended', said.join('\n  '), {
    where,
    fix:
      '`./repro attach` continues the run here, with the jobs that still run. If nodes may not submit jobs, keep the run on the login node: ' +
      'without --detach, in tmux or with nohup.',
  });
}

/** Puts the driver's job, in which this is, back into the queue; that ends it. */
export async function requeueDriver(environment: NodeJS.ProcessEnv): Promise<void> {
  const job = environment.SLURM_JOB_ID;
  if (job !== undefined) await new Slurm(environment).requeue(job);
}
