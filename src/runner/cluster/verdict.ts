import type { StageEnd } from '../../executors/executor.ts';
import { notSharedExitCode, preludeExitCode } from '../../executors/slurm/job-script.ts';
import { isFinal, type JobStatus } from '../../executors/slurm/job-state.ts';
import type { JobEnd } from '../jobs/jobs-folder.ts';
import { settingsFile } from './cluster-settings.ts';

/** All that is known about a job at one moment. */
export interface Evidence {
  readonly job: string;
  /** Its own report of its end; null: there is none, or it is not visible here yet. */
  readonly end: JobEnd | null;
  /** Whether its file says that it has started. */
  readonly hasStarted: boolean;
  /** Whether `repro cancel` has named its instance. */
  readonly isUnwanted: boolean;
  /** What Slurm says; `absent`: it no longer knows the job; null: it did not answer. */
  readonly status: JobStatus | 'absent' | null;
  /** Whether Slurm has called it ended or unknown for so long that no report will appear. */
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
  if (end?.wasWarned === true) return cutOff('timeout', `job ${job} on ${end.node} used up its time`);
  if (status === null) return null;
  if (status === 'absent') {
    // Without accounts, Slurm forgets tasks of an array that are cancelled while they wait.
    if (isUnwanted && end === null && !hasStarted) return failed('cancelled', `job ${job} was cancelled`);
    if (!isSilent) return null;
    if (end !== null) return toldToEnd(`job ${job} on ${end.node}`);
    const unknown = `Slurm no longer knows job ${job}`;
    if (!hasStarted)
      return failed(
        'cancelled',
        `${unknown}, whose stage never started: it was cancelled, or its script failed`,
      );
    return failed('job-lost', `${unknown}, and it left no result`);
  }
  if (!isFinal(status.state)) return null;
  const { state, node, reason, exitCode = 0, elapsedSeconds } = status;
  const where = `job ${job}${node === null ? '' : ` on ${node}`}`;
  const hasRun = (elapsedSeconds ?? 0) > 0 || node !== null || end !== null;
  if (state === 'CANCELLED' && !hasRun) return failed('cancelled', `${where} was cancelled`);
  const [code, text] = scriptFailures[exitCode] ?? [];
  // Its report may exist before it is visible here; not if its script ended before the runner started.
  if (end === null && !isSilent && code === undefined) return null;
  switch (state) {
    case 'TIMEOUT':
      return cutOff('timeout', `${where} reached its time limit`);
    case 'PREEMPTED':
      return cutOff('preempted', `${where} was preempted by another job`);
    case 'NODE_FAIL':
    case 'BOOT_FAIL':
      return cutOff('node-failed', `the node of ${where} failed`);
    case 'OUT_OF_MEMORY':
      return failed(
        'out-of-memory',
        `${where} needed more memory than it requested\n  Raise resources.memory of the stage.`,
      );
    case 'CANCELLED':
    case 'REVOKED':
      return failed('cancelled', `${where} was cancelled`);
  }
  const signal = Number(/^RaisedSignal:(\d+)/.exec(reason ?? '')?.[1] ?? 0);
  if (end !== null || signal === sigterm) return toldToEnd(where);
  if (state === 'COMPLETED')
    return failed(
      'no-result',
      `${where} succeeded, but its result is not in this folder\n  Put the project on a file system that the nodes share.`,
    );
  if (signal === noLogSignal)
    return failed(
      'no-log',
      `${where} could not write its log into the project's folder\n  Put the project on a file system that the nodes share, and check your quota.`,
    );
  if (code !== undefined) return failed(code, `${where} ${text}`);
  const why = exitCode === 0 ? reason : `exit code ${exitCode}`;
  const hint =
    signal === sigkill
      ? '\n  Unless someone killed it by hand, the node ran out of memory: raise resources.memory of the stage.'
      : '';
  const said = why === null ? '' : ` (${why})`;
  return failed('job-failed', `${where} ended as ${state}${said} before the stage could report why${hint}`);
}

/** The signal with which Slurm ends a batch script whose log it could not open. */
const noLogSignal = 53;

const [sigkill, sigterm] = [9, 15];

const noCommand = `could not start: a program in its command was not found or is not executable\n  Check \`command\`, \`node\` and \`prelude\` in ${settingsFile}; the log names it.`;

/** By exit code, why a script did not start the runner. 126, 127: a shell's own for a command that it cannot start. */
const scriptFailures: { readonly [exitCode: number]: readonly [code: string, text: string] } = {
  [notSharedExitCode]: [
    'not-shared',
    'did not find the submitted files: the project is another folder there\n  Put it on a file system that the nodes share.',
  ],
  [preludeExitCode]: [
    'prelude',
    `failed in a line of its prelude\n  The log names the line. Correct \`prelude\` in ${settingsFile}, or add \`|| true\` to a line that may fail.`,
  ],
  126: ['no-command', noCommand],
  127: ['no-command', noCommand],
};

function toldToEnd(where: string): JobFailure {
  return failed('told-to-end', `${where} was ended by SIGTERM, and Slurm does not say why`);
}

function failed(code: string, text: string): JobFailure {
  return { kind: 'failed', code, text };
}

function cutOff(code: 'timeout' | 'preempted' | 'node-failed', text: string): JobFailure {
  return { ...failed(code, text), isCutOff: true };
}
