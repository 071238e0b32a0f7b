import type { EventEmitter } from 'node:events';
import { ReproError } from '../../errors.ts';

/** What Slurm tells a job by signals. */
export interface JobSignals {
  /** Aborted when it tells the job to end: the stage may save its work. */
  readonly stop: AbortSignal;
  /** Aborted when the stage has had the time for that which Slurm gives. */
  readonly kill: AbortSignal;
  /** Whether the job is to end because its time is nearly over, so that it could go on in another one. */
  readonly isTimeUp: () => boolean;
}

/** How long after SIGTERM a stage may save its work. Slurm kills what takes longer than its `KillWait`, 30 s by default. */
const termSeconds = 25;

/** What is left of the warning time for telling Slurm that the job goes on, at most. */
const marginSeconds = 30;

/**
 * Listens for SIGUSR2, by which Slurm warns of the end of the job's time, and for SIGTERM, after which it kills: at a preemption, by
 * `scancel`, or at the end of the time.
 *
 * @param emitter the process
 */
export function listenForJobSignals(emitter: EventEmitter): JobSignals {
  const stop = new AbortController();
  const kill = new AbortController();
  let isTimeUp = false;
  let isEnding = false;
  emitter.on('SIGUSR2', () => {
    // After SIGTERM it is not the time that ends the job.
    if (!isEnding) isTimeUp = true;
    stop.abort(new ReproError('interrupted', "the job's time is nearly over"));
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    emitter.on(signal, () => {
      stop.abort(new ReproError('interrupted', `interrupted by ${signal}`));
      if (isEnding) return;
      isEnding = true;
      setTimeout(() => kill.abort(), termSeconds * 1000).unref();
    });
  }
  return { stop: stop.signal, kill: kill.signal, isTimeUp: () => isTimeUp };
}

/**
 * How long a stage may take to save its work when it is told that the job's time is nearly over.
 *
 * @param warnSeconds how long before that end it is told; null: never
 */
export function savingSeconds(warnSeconds: number | null): number {
  return warnSeconds === null ? termSeconds : warnSeconds - Math.min(marginSeconds, warnSeconds / 4);
}
