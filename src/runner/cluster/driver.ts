import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ReproError } from '../../errors.ts';
import { renderJobScript } from '../../executors/slurm/job-script.ts';
import { isFinal, type JobStatus } from '../../executors/slurm/job-state.ts';
import { explainSubmission, Slurm, unreachable } from '../../executors/slurm/slurm.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { type ClusterRun, readClusterRun, tidyJobs, writeClusterRun } from '../jobs/jobs-folder.ts';
import type { Plan } from '../plan/plan.ts';
import type { RunEvent } from '../run/events.ts';
import type { RunOptions } from '../run/run.ts';
import type { CacheFolder } from '../store/cache-folder.ts';
import { settingsFile } from './cluster-settings.ts';
import { readLinesFrom } from './job-files.ts';
import { driverRequest } from './job-request.ts';
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
    comment: commentOf(projectRoot, 'driver'),
    ...{ environment: Object.fromEntries(passed), requeues: true, projectRoot },
    logFile: logFileIn(folder),
    about: ['the run itself, which submits the stages'],
    folders: [folder.jobs],
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
    throw explainSubmission(answer.text, () => `${settingsFile} (driver)`);
  }
  throw unreachable(`${answer.text}; it may have accepted the job \`repro.driver\` all the same`);
}

/** Progress is shown to who attaches, and not kept for each second of a training. */
const progressEveryMs = 15_000;

/** Writes the events of a run to its file, for those who follow it. */
export function recordEvents(folder: JobsFolder): (event: RunEvent) => void {
  const lastMs = new Map<string, number>();
  return (event) => {
    const nowMs = Date.now();
    if (event.kind === 'progress') {
      if (nowMs - (lastMs.get(event.id) ?? 0) < progressEveryMs) return;
      lastMs.set(event.id, nowMs);
    }
    try {
      appendFileSync(eventsFileIn(folder), `${JSON.stringify({ atMs: nowMs, event })}\n`);
    } catch {
      // Only those who follow miss it.
    }
  };
}

/** What Slurm says of the driver's job; null: it has ended, or there is none. `unknown`: Slurm does not answer. */
export async function findDriver(
  folder: JobsFolder,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly job: string; readonly status: JobStatus | 'unknown' } | null> {
  const job = readClusterRun(folder)?.driver ?? null;
  if (job === null) return null;
  const status = (await new Slurm(environment).readStates([job])).stateOf(job);
  if (status === null) return { job, status: 'unknown' };
  return status === 'absent' || isFinal(status.state) ? null : { job, status };
}

/** An event of the past, as it would be told now. */
function asOfNow(event: RunEvent, atMs: number): RunEvent {
  if (event.kind === 'progress') return { ...event, atMs };
  if (event.kind !== 'job' || event.elapsedSeconds === null) return event;
  return { ...event, elapsedSeconds: event.elapsedSeconds + (Date.now() - atMs) / 1000 };
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
  { signal, onEvent }: Pick<RunOptions, 'signal' | 'onEvent'>,
  environment: NodeJS.ProcessEnv,
  pollSeconds: number,
): Promise<void> {
  const job = readClusterRun(folder)?.driver ?? '';
  let offset = 0;
  let nextPollMs = 0;
  let last: RunEvent | null = null;
  let shown = '';
  for (let isOver = false; !signal.aborted; ) {
    const read = readLinesFrom(eventsFileIn(folder), offset);
    offset = read.offset;
    for (const line of read.lines) {
      const { atMs, event } = JSON.parse(line) as { atMs: number; event: RunEvent };
      last = event;
      onEvent(asOfNow(event, atMs));
    }
    if (read.lines.length > 0) continue;
    const isDone = last?.kind === 'run-finished' && last.outcome !== 'interrupted';
    if (isOver && isDone) return;
    if (isOver) throw driverEnded(folder, job);
    if (isDone || performance.now() >= nextPollMs) {
      nextPollMs = performance.now() + pollSeconds * 1000;
      const driver = await findDriver(folder, environment);
      isOver = driver === null;
      const status = driver === null || driver.status === 'unknown' ? null : driver.status;
      const text = `the run waits as job ${job}${status?.reason == null ? '' : ` (${status.reason})`}`;
      if (status?.state === 'PENDING' && text !== shown) {
        shown = text;
        onEvent({ kind: 'note', id: 'run', level: 'note', text });
      }
    }
    // Once more after the end, for what was written meanwhile.
    if (!isOver) await wait(lookEveryMs, undefined, { signal }).catch(() => {});
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
  const log = existsSync(logFileIn(folder)) ? readFileSync(logFileIn(folder), 'utf8').trim() : '';
  const said = log.split('\n').slice(-10).join('\n  ');
  return new ReproError(
    'driver-ended',
    `job ${job}, in which the run went on, has ended before the run was done${said === '' ? '' : `:\n  ${said}`}`,
    {
      where: logFileIn(folder),
      fix:
        '`./repro attach` goes on with the run here, and takes up jobs that run. If nodes may not submit jobs, keep the run on the login node: ' +
        'without --detach, in tmux or with nohup.',
    },
  );
}

/** Puts the driver's job, in which this is, back into the queue; that ends it. */
export async function requeueDriver(environment: NodeJS.ProcessEnv): Promise<void> {
  const job = environment.SLURM_JOB_ID;
  if (job !== undefined) await new Slurm(environment).requeue(job);
}

/** Forgets the driver's job, so that the run goes on elsewhere. */
export async function forgetDriver(folder: JobsFolder): Promise<void> {
  const run = readClusterRun(folder);
  if (run !== null) await writeClusterRun(folder, { ...run, driver: null });
}
