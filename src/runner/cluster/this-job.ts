import { nameJob } from '../../executors/slurm/job-state.ts';

/** The job that a process on a node belongs to: `12`, or `12_3` in an array; `0` outside of a job. */
export function nameOfThisJob({
  SLURM_ARRAY_JOB_ID: array,
  SLURM_ARRAY_TASK_ID: task,
  SLURM_JOB_ID: id,
}: NodeJS.ProcessEnv): string {
  return array === undefined ? (id ?? '0') : nameJob(array, Number(task));
}

/** A clock that is wrong by more than this has more to fear. */
const toleranceSeconds = 60;

/**
 * Whether a warning is that of the end of a job's time: where a site lets a job be warned ahead of a preemption, that is by the same signal.
 *
 * @param warnedAtMs since 1970
 * @param warnSeconds how long ahead of the end that warning comes
 */
export function isEndOfTime(
  warnedAtMs: number,
  warnSeconds: number,
  { SLURM_JOB_END_TIME: end }: NodeJS.ProcessEnv,
): boolean {
  // Earlier versions of Slurm do not say; nor does it where there is no limit.
  if (end === undefined || !/^[1-9]\d*$/.test(end)) return true;
  return warnedAtMs / 1000 >= Number(end) - warnSeconds - toleranceSeconds;
}
