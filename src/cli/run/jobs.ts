import { isDeepStrictEqual } from 'node:util';
import type { PipelineOptions } from '../../apps/load-plan.ts';
import type { JobReport } from '../../runner/cluster/job-report.ts';
import type { PlanSelection } from '../../runner/jobs/batch.ts';
import { describeSelection } from '../../runner/jobs/batch.ts';
import { readSubmittedRun } from '../../runner/jobs/submitted-run.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { formatSeconds } from '../view/format.ts';
import { toLines, toOneLine } from '../view/safe-text.ts';

/**
 * `job 12_3 runs on node7 for 2 h 05 min`, `job 12_3 waits (Priority)`; of one that has failed, also the rest of what it says.
 *
 * @param isOther whether it is of another run than the one shown
 */
export function describeJob(report: JobReport, isOther = false): string[] {
  const [first = '', ...more] = describe(report);
  return [isOther ? `${first} (of ${describeSelection(report.selection)})` : first, ...more];
}

const noted = '`./repro attach` takes note of it';

function describe({ job, status, isRunning, hasEnded, verdict }: JobReport): string[] {
  const name = job === null ? 'a job being submitted' : `job ${job}`;
  if (verdict.kind === 'failed') {
    const [reason = '', ...more] = toLines(verdict.text);
    return [`${reason.includes(name) ? reason : `${name} failed: ${reason}`}; ${noted}`, ...more];
  }
  if (verdict.kind === 'dropped') {
    return [`${name} never ran, because a job that it depends on failed; ${noted}`];
  }
  if (hasEnded) return [`${name} has ended well: ${noted}`];
  if (status === null) return [`${name}, of which Slurm says nothing now`];
  const { state, reason, node, elapsedSeconds } = status;
  const why = reason === null ? '' : ` (${toOneLine(reason)})`;
  if (!isRunning) return [state === 'PENDING' ? `${name} waits${why}` : `${name} is ${state}${why}`];
  return [`${name} runs on ${toOneLine(node ?? 'a node')} for ${formatSeconds(elapsedSeconds ?? 0)}`];
}

/** Whether a job was submitted with other options than a plan: what it makes may differ from what is shown. */
export function isOfAnotherRun(
  selection: PlanSelection,
  plan: Plan,
  { profile, set }: Pick<PipelineOptions, 'profile' | 'set'>,
): boolean {
  const named = profile ?? (plan.profile === 'none' ? null : plan.profile);
  return !isDeepStrictEqual(selection, { profile: named, set });
}

/**
 * The run on a cluster that is under way, where the options name no other: whoever asks how things are means that one. null if there is none.
 *
 * @param jobs the cache's folder of jobs
 * @throws {ReproError} `jobs-unreadable`, `jobs-damaged`
 */
export function findShownRun(
  jobs: string,
  { profile, set }: Pick<PipelineOptions, 'profile' | 'set'>,
): PlanSelection | null {
  if (profile !== undefined || set.length > 0) return null;
  const run = readSubmittedRun({ jobs });
  return run === null ? null : { profile: run.profile, set: run.set };
}
