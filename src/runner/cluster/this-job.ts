import type { EventEmitter } from 'node:events';
import { ReproError } from '../../errors.ts';
import { nameJob } from '../../executors/slurm/job-state.ts';

/** What Slurm tells a job by signals. */
export interface JobSignals {
  /** Aborted when it tells the job to end: the stage may save its work. */
  readonly stop: AbortSignal;
  /** Aborted when the time that Slurm gives the stage for this is over. */
  readonly kill: AbortSignal;
  /** When it was warned of its end, in milliseconds since 1970, so that it can continue later; null: it was not, or was told to end before. */
  readonly warnedAtMs: () => number | null;
}

/** How long after SIGTERM a stage may save its work. Slurm kills what takes longer than its `KillWait`, 30 s by default. */
const termSeconds = 25;

/** The most of the warning time that is kept for asking Slurm to requeue the job. */
const marginSeconds = 30;

/**
 * Listens for SIGUSR2, by which Slurm warns of the end of the job's time or, on some sites, of a preemption, and for SIGTERM, after which it
 * kills: at a preemption, by `scancel`, or at the end of the time.
 *
 * @param emitter the process
 */
export function listenForJobSignals(emitter: EventEmitter): JobSignals {
  const stop = new AbortController();
  const kill = new AbortController();
  let warnedAtMs: number | null = null;
  let isEnding = false;
  emitter.on('SIGUSR2', () => {
    // After SIGTERM the job cannot continue.
    if (!isEnding) warnedAtMs ??= Date.now();
    stop.abort(new ReproError('interrupted', 'the job is nearly over'));
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    emitter.on(signal, () => {
      stop.abort(new ReproError('interrupted', `interrupted by ${signal}`));
      if (isEnding) return;
      isEnding = true;
      setTimeout(() => kill.abort(), termSeconds * 1000).unref();
    });
  }
  return { stop: stop.signal, kill: kill.signal, warnedAtMs: () => warnedAtMs };
}

/**
 * How long a stage may take to save its work when it is warned of the job's end.
 *
 * @param warnSeconds how long before that end the warning comes; null: there is none
 */
export function savingSeconds(warnSeconds: number | null): number {
  return warnSeconds === null ? termSeconds : warnSeconds - Math.min(marginSeconds, warnSeconds / 4);
}

/** The job that a process on a node belongs to: `12`, or `12_3` in an array; `0` outside of a job. */
export function nameOfThisJob({
  SLURM_ARRAY_JOB_ID: array,
  SLURM_ARRAY_TASK_ID: task,
  SLURM_JOB_ID: id,
}: NodeJS.ProcessEnv): string {
  return array === undefined ? (id ?? '0') : nameJob(array, Number(task));
}

/** How far the clocks of a node and the controller may differ. */
const toleranceSeconds = 60;

/**
 * Whether a warning is about the end of the job's time: some sites warn of a preemption by the same signal.
 *
 * @param warnedAtMs since 1970
 * @param warnSeconds how long before the end of the time that warning comes
 */
export function isEndOfTime(
  warnedAtMs: number,
  warnSeconds: number,
  { SLURM_JOB_END_TIME: end }: NodeJS.ProcessEnv,
): boolean {
  // Earlier versions of Slurm do not set it; nor does any without a limit.
  if (end === undefined || !/^[1-9]\d*$/.test(end)) return true;
  return warnedAtMs / 1000 >= Number(end) - warnSeconds - toleranceSeconds;
}
