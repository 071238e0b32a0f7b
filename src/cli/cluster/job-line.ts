import type { JobReport } from '../../runner/cluster/job-report.ts';
import { formatSeconds } from '../view/format.ts';
import { toOneLine } from '../view/safe-text.ts';

/** `job 12_3 runs on node7 for 2 h 05 min`, `job 12_3 waits (Priority)`. */
export function describeJob({ job, status, isRunning, hasEnded }: JobReport): string {
  const name = job === null ? 'a job being submitted' : `job ${job}`;
  if (hasEnded) {
    const how = status === null ? '' : ` as ${status.state}`;
    return `${name} has ended${how}: \`repro attach\` takes note of it`;
  }
  if (status === null) return `${name}, of which Slurm says nothing now`;
  const { state, reason, node, elapsedSeconds } = status;
  const why = reason === null ? '' : ` (${toOneLine(reason)})`;
  if (!isRunning) return state === 'PENDING' ? `${name} waits${why}` : `${name} is ${state}${why}`;
  return `${name} runs on ${toOneLine(node ?? 'a node')} for ${formatSeconds(elapsedSeconds ?? 0)}`;
}
