import { constants } from 'node:os';
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
  /** What Slurm says; `absent`: it no longer knows the job; null: it did not answer. */
  readonly status: JobStatus | 'absent' | null;
  /** Whether Slurm has called it ended or unknown for so long that no report will appear. */
  readonly isSilent: boolean;
}

/** How a job ended. */
export type JobVerdict =
  | { readonly kind: 'ended'; readonly end: Extract<StageEnd, { kind: 'done' | 'failed' }> }
  /** It was ended before its stage was done, through no fault of the stage: another job may go on from what it saved. */
  | { readonly kind: 'cut-off'; readonly code: CutOff; readonly text: string }
  /** Cancelled before it began. */
  | { readonly kind: 'dropped'; readonly text: string };

type CutOff = 'timeout' | 'preempted' | 'node-failed';

/**
 * Judges a job by its own report; only if there is none, by the state that Slurm reports.
 *
 * @returns null while it waits or runs, or this is unknown
 */
export function judge({ job, end, status, isSilent }: Evidence): JobVerdict | null {
  if (end !== null && end.end.kind !== 'interrupted') return { kind: 'ended', end: end.end };
  if (end?.wasWarned === true) return cutOff('timeout', `job ${job} on ${end.node} used up its time`);
  if (status === null) return null;
  if (status === 'absent') {
    if (!isSilent) return null;
    return end === null
      ? failed('job-lost', `Slurm no longer knows job ${job}, and it left no result`)
      : toldToEnd(`job ${job} on ${end.node}`);
  }
  if (!isFinal(status.state)) return null;
  const { state, node, reason, exitCode = 0, elapsedSeconds } = status;
  const where = `job ${job}${node === null ? '' : ` on ${node}`}`;
  const hasRun = (elapsedSeconds ?? 0) > 0 || node !== null || end !== null;
  if (state === 'CANCELLED' && !hasRun) return { kind: 'dropped', text: `${where} was cancelled` };
  // Its report may exist before it is visible here; not if its script ended before the runner started.
  if (end === null && !isSilent && !neverBegan.has(exitCode)) return null;
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
    case 'COMPLETED':
      return end !== null
        ? toldToEnd(where)
        : failed(
            'no-result',
            `${where} succeeded, but its result is not in this folder\n  Put the project on a file system that the nodes share.`,
          );
    default:
      return describeFailed(where, { state, reason, exitCode }, end !== null);
  }
}

/** The signal with which Slurm ends a batch script whose log it could not open. */
const noLogSignal = 53;

/** SIGUSR2 on Linux; on the runner's machine it may have another number. */
const warningSignal = 12;

/** A shell's exit codes for a command that is not executable or not found. */
const notExecutableCodes: ReadonlySet<number> = new Set([126, 127]);

/** Exit codes of scripts that did not start the runner. */
const neverBegan: ReadonlySet<number> = new Set([notSharedExitCode, preludeExitCode, ...notExecutableCodes]);

/** Describes a job that failed before the stage could report anything. */
function describeFailed(
  where: string,
  {
    state,
    reason,
    exitCode,
  }: { readonly state: string; readonly reason: string | null; readonly exitCode: number },
  wasTold: boolean,
): JobVerdict {
  const signal = Number(/^RaisedSignal:(\d+)/.exec(reason ?? '')?.[1] ?? 0);
  if (exitCode === notSharedExitCode) {
    return failed(
      'not-shared',
      `${where} did not find the submitted files: the project is another folder there\n  Put it on a file system that the nodes share.`,
    );
  }
  if (signal === noLogSignal) {
    return failed(
      'no-log',
      `${where} could not write its log into the project's folder\n  Put the project on a file system that the nodes share, and check your quota.`,
    );
  }
  if (signal === warningSignal) {
    return cutOff(
      'timeout',
      `${where} was ended by the signal that warns of the end of its time: \`command\` in ${settingsFile} does not pass it on`,
    );
  }
  if (wasTold || signal === constants.signals.SIGTERM) return toldToEnd(where);
  if (exitCode === preludeExitCode) {
    return failed(
      'prelude',
      `${where} failed in a line of its prelude\n  The log names the line. Correct \`prelude\` in ${settingsFile}, or add \`|| true\` to a line that may fail.`,
    );
  }
  if (notExecutableCodes.has(exitCode)) {
    const what = exitCode === 127 ? 'was not found' : 'is not executable';
    return failed(
      'no-command',
      `${where} could not start: a program in its command ${what} (exit code ${exitCode})\n  Check \`command\`, \`node\` and \`prelude\` in ${settingsFile}; the log names it.`,
    );
  }
  const why = exitCode === 0 ? reason : `exit code ${exitCode}`;
  const hint =
    signal === constants.signals.SIGKILL
      ? '\n  Unless someone killed it by hand, the node ran out of memory: raise resources.memory of the stage.'
      : '';
  const said = why === null ? '' : ` (${why})`;
  return failed('job-failed', `${where} ended as ${state}${said} before the stage could report why${hint}`);
}

function toldToEnd(where: string): JobVerdict {
  return failed('told-to-end', `${where} was ended by SIGTERM, and Slurm does not say why`);
}

function failed(code: string, text: string): JobVerdict {
  return { kind: 'ended', end: { kind: 'failed', code, text } };
}

function cutOff(code: CutOff, text: string): JobVerdict {
  return { kind: 'cut-off', code, text };
}
