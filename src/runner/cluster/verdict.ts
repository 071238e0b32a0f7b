import type { StageEnd } from '../../executors/executor.ts';
import { forgotten, isOver, type JobStatus } from '../../executors/slurm/slurm.ts';
import type { JobEnd } from '../jobs/jobs-folder.ts';
import { settingsFile } from './cluster-settings.ts';

/** All that is known about a job at one moment. */
export interface Evidence {
  readonly job: string;
  /** Its own report of its end; null: there is none, or it is not visible here yet. */
  readonly end: JobEnd | null;
  /** Whether its file says that it has started. */
  readonly hasStarted: boolean;
  /** Whether it was cancelled from here. */
  readonly isUnwanted: boolean;
  /** What Slurm says; null: it did not answer. */
  readonly status: JobStatus | null;
  /** Whether Slurm has called it over for so long that no report will appear. */
  readonly isSilent: boolean;
}

export type JobFailure = Extract<StageEnd, { kind: 'failed' }> & {
  /** Whether it was ended before its stage was done, through no fault of the stage: another job may go on from what it saved. */
  readonly isCutOff?: true;
};

/** How a job ended. */
export type JobVerdict = Extract<StageEnd, { kind: 'done' }> | JobFailure;

/**
 * Judges a job by its own report; only if there is none, by the state that Slurm reports.
 *
 * @returns null while it waits or runs, or this is unknown
 */
export function judge({ job, end, hasStarted, isUnwanted, status, isSilent }: Evidence): JobVerdict | null {
  if (end !== null && end.end.kind !== 'interrupted') return end.end;
  if (end?.wasWarned === true) return failed('timeout', `job ${job} on ${end.node} used up its time`, true);
  if (!isOver(status)) return null;
  const { state, reason } = status;
  const node = status.node ?? end?.node ?? null;
  const where = `job ${job}${node === null ? '' : ` on ${node}`}`;
  const hasBegun = hasStarted || end !== null;
  // Without accounts, Slurm forgets tasks of an array that are cancelled while they wait.
  if (!hasBegun && (state === 'CANCELLED' || (state === forgotten && isUnwanted)))
    return failed('cancelled', `${where} was cancelled`);
  // At once, although what it left may not be visible yet: the folder was listed again just now, and a mistake in `prelude` is common.
  if (!hasBegun && state === 'FAILED')
    return failed(
      'not-begun',
      `${where} failed before its stage began${reason === null ? '' : ` (${reason})`}\n  ${notBegunFix}`,
    );
  // Its report may exist before it is visible here.
  if (end === null && !isSilent) return null;
  const [code, what, isCutOff] = meanings[state] ?? [];
  if (code !== undefined) return failed(code, `${where} ${what}`, isCutOff);
  const signal = /^RaisedSignal:(\d+)/.exec(reason ?? '')?.[1];
  if (end !== null || signal === '15')
    return failed('told-to-end', `${where} was ended by SIGTERM, and Slurm does not say why`);
  if (state === forgotten)
    return failed('job-lost', `Slurm no longer knows job ${job}, and it left no result`);
  const hint =
    signal === '9'
      ? '\n  Unless someone killed it by hand, the node ran out of memory: raise resources.memory of the stage.'
      : '';
  const said = reason === null ? '' : ` (${reason})`;
  return failed('job-failed', `${where} ended as ${state}${said} before the stage could report why${hint}`);
}

const notBegunFix =
  `The log says why: correct \`prelude\`, \`command\` or \`node\` in ${settingsFile}. Without a log, the project is another folder on that ` +
  'node, or your quota is full: put it on a file system that the nodes share.';

/** States that say by themselves how a job ended; last, whether that was through no fault of its stage. */
const meanings: { readonly [state: string]: readonly [code: string, what: string, isCutOff: boolean] } = {
  TIMEOUT: ['timeout', 'reached its time limit', true],
  PREEMPTED: ['preempted', 'was preempted by another job', true],
  NODE_FAIL: ['node-failed', 'ended since its node failed', true],
  BOOT_FAIL: ['node-failed', 'ended since its node failed', true],
  OUT_OF_MEMORY: [
    'out-of-memory',
    'needed more memory than it requested\n  Raise resources.memory of the stage.',
    false,
  ],
  CANCELLED: ['cancelled', 'was cancelled', false],
  REVOKED: ['cancelled', 'was cancelled', false],
  COMPLETED: [
    'no-result',
    'succeeded, but its result is not in this folder\n  Put the project on a file system that the nodes share.',
    false,
  ],
};

function failed(code: string, text: string, isCutOff = false): JobFailure {
  return { kind: 'failed', code, text, ...(isCutOff && { isCutOff }) };
}
