import { constants } from 'node:os';
import { continueExitCode, notSharedExitCode, preludeExitCode } from '../../executors/slurm/job-script.ts';
import { type JobStatus, phaseOf } from '../../executors/slurm/job-state.ts';
import type { TaskEnd } from '../jobs/task-end.ts';
import { settingsFile } from './cluster-settings.ts';

/** All that is known about a job at one moment. */
export interface Evidence {
  readonly job: string;
  /** Its own report of its end; null: there is none, or it is not visible here yet. */
  readonly end: TaskEnd | null;
  /** What Slurm says; `absent`: it no longer knows the job; null: it did not answer. */
  readonly status: JobStatus | 'absent' | null;
  /** How long Slurm has called it ended or unknown, while `end` has not appeared. */
  readonly silentSeconds: number;
  /** How long files from another node may take to appear. */
  readonly patienceSeconds: number;
  /** How its dependencies ended; default: none failed. */
  readonly before?: Before;
}

/** `failed`: one of them failed; `open`: one has ended, but it is unknown how. */
export type Before = 'fine' | 'failed' | 'open';

/** How a job stands. */
export type Verdict =
  /** It waits or runs, or this is unknown. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'done' | 'hit'; readonly fingerprint: string }
  /** A dependency failed, so Slurm dropped the job: it may be submitted again. */
  | { readonly kind: 'dropped' }
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly text: string };

/** The stage's own code, or one of the codes below. */
type FailureCode = string;

/** Failures that are not the stage's fault. */
export const nodeFailures: ReadonlySet<string> = new Set(['preempted', 'node-failed', 'told-to-end']);

const wait: Verdict = { kind: 'wait' };

/**
 * Judges a job by its own report; only if there is none, by the state that Slurm reports. Exit codes do not decide: that of a job killed from
 * outside means nothing.
 */
export function judge(evidence: Evidence): Verdict {
  const { end, status, job, before = 'fine' } = evidence;
  if (end !== null && end.kind !== 'interrupted') {
    return end.kind === 'failed'
      ? { kind: 'failed', code: end.code, text: end.text }
      : { kind: end.kind, fingerprint: end.fingerprint };
  }
  if (status === null) return wait;
  if (status === 'absent') {
    if (isPatient(evidence) || before === 'open') return wait;
    if (end?.because !== undefined) return describeRefusal(end, job);
    return before === 'failed'
      ? { kind: 'dropped' }
      : fail('job-lost', `Slurm no longer knows job ${job}, and it left no result`);
  }
  // Some clusters keep such jobs in the queue.
  if (status.reason === 'DependencyNeverSatisfied') return { kind: 'dropped' };
  if (phaseOf(status.state) !== 'ended') return wait;
  // Dropped or cancelled before it started: no report will follow.
  const hasRun = (status.elapsedSeconds ?? 0) > 0 || status.node !== null;
  if (status.state === 'CANCELLED' && !hasRun) {
    // Accounting does not say why.
    if (status.reason === 'Dependency' || before === 'failed') return { kind: 'dropped' };
    return before === 'open' ? wait : describeEnd(status, job);
  }
  if (end?.because !== undefined && isRefused(status)) return describeRefusal(end, job);
  // Its script ended before the runner started.
  if (end === null && neverBegan.has(status.exitCode ?? 0)) return describeEnd(status, job);
  if ((end === null || !agrees(status)) && isPatient(evidence)) return wait;
  return describeEnd(status, job, end !== null);
}

/** Whether a job that asked to be requeued ended without that. */
function isRefused({ state, reason, exitCode = continueExitCode }: JobStatus): boolean {
  return (
    state === 'TIMEOUT' || (state === 'FAILED' && exitCode === continueExitCode && signalIn(reason) === 0)
  );
}

/** Whether a job that was told to end can have this state. If not, its report is of an earlier attempt, and another may follow. */
function agrees({ state }: JobStatus): boolean {
  return state !== 'COMPLETED' && state !== 'FAILED';
}

/** The failure of a job that was not requeued. */
function describeRefusal(
  { node, because, refusal = '' }: Extract<TaskEnd, { kind: 'interrupted' }>,
  job: string,
): Verdict {
  const why = refusal === '' ? '' : `: ${refusal}`;
  const [code, what] =
    because === 'time'
      ? ['timeout', 'used up its time']
      : ['preempted', 'was warned to make room for another job'];
  return fail(code, `job ${job} on ${node} ${what}, and Slurm did not requeue it${why}`);
}

/** Whether to wait longer: a result may exist before it is visible here. */
function isPatient({ silentSeconds, patienceSeconds }: Evidence): boolean {
  return silentSeconds < patienceSeconds;
}

/** @param wasTold whether it reports that it was told to end */
function describeEnd(status: JobStatus, job: string, wasTold = false): Verdict {
  const { state, node } = status;
  const where = `job ${job}${node === null ? '' : ` on ${node}`}`;
  switch (state) {
    case 'TIMEOUT':
      return fail('timeout', `${where} reached its time limit`);
    case 'DEADLINE':
      return fail('deadline', `the deadline of ${where} has passed`);
    case 'OUT_OF_MEMORY':
      return fail(
        'out-of-memory',
        `${where} needed more memory than it requested\n  Raise resources.memory of the stage.`,
      );
    case 'PREEMPTED':
      return fail('preempted', `${where} was preempted by another job`);
    case 'NODE_FAIL':
    case 'BOOT_FAIL':
      return fail('node-failed', `the node of ${where} failed`);
    case 'CANCELLED':
    case 'REVOKED':
      return fail('cancelled', `${where} was cancelled`);
    case 'COMPLETED':
      return fail(
        'no-result',
        `${where} succeeded, but its result is not in this folder\n  Put the project on a file system that the nodes share.`,
      );
    default:
      return describeFailed(where, status, wasTold);
  }
}

/** The signal with which Slurm ends a batch script whose log it could not open. */
const noLogSignal = 53;

/** SIGUSR2 on Linux; on the runner's machine it may have another number. */
const warningSignal = 12;

/** The signal that ended the script; 0 if none did. */
function signalIn(reason: string | null): number {
  return Number(/^RaisedSignal:(\d+)/.exec(reason ?? '')?.[1] ?? 0);
}

/** A shell's exit codes for a command that is not executable or not found. */
const notExecutableCodes: ReadonlySet<number> = new Set([126, 127]);

/** Exit codes of scripts that did not start the runner. */
const neverBegan: ReadonlySet<number> = new Set([notSharedExitCode, preludeExitCode, ...notExecutableCodes]);

/** Describes a job that failed before the stage could report anything. */
function describeFailed(
  where: string,
  { state, reason, exitCode = 0 }: JobStatus,
  wasTold: boolean,
): Verdict {
  if (exitCode === notSharedExitCode) {
    return fail(
      'not-shared',
      `${where} did not find the submitted files: the project is another folder there\n  Put it on a file system that the nodes share.`,
    );
  }
  const signal = signalIn(reason);
  if (signal === noLogSignal) {
    return fail(
      'no-log',
      `${where} could not write its log into the project's folder\n  Put the project on a file system that the nodes share, and check your quota.`,
    );
  }
  if (signal === warningSignal) {
    return fail(
      'timeout',
      `${where} was ended by the signal that warns of the end of its time: \`command\` in ${settingsFile} does not pass it on`,
    );
  }
  if (wasTold || signal === constants.signals.SIGTERM) {
    return fail('told-to-end', `${where} was ended by SIGTERM, and Slurm does not say why`);
  }
  if (exitCode === preludeExitCode) {
    return fail(
      'prelude',
      `${where} failed in a line of its prelude\n  The log names the line. Correct \`prelude\` in ${settingsFile}, or add \`|| true\` to a line that may fail.`,
    );
  }
  if (notExecutableCodes.has(exitCode)) {
    const what = exitCode === 127 ? 'was not found' : 'is not executable';
    return fail(
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
  return fail('job-failed', `${where} ended as ${state}${said} before the stage could report why${hint}`);
}

function fail(code: string, text: string): Verdict {
  return { kind: 'failed', code, text };
}

/** A job found on disk, with what Slurm says about it now. */
export interface UnwatchedJob extends Pick<Evidence, 'job' | 'end' | 'status'> {
  /** The file in which it reports its end. */
  readonly endFile: string;
  /** The end files of its dependencies. */
  readonly after: readonly string[];
}

/** Judges jobs that no command watches, each after its dependencies. */
export class UnwatchedVerdicts {
  readonly #verdicts = new Map<string, Verdict>();

  /** A result that is not visible yet is no failure: a command that watches the job waits for it. */
  judge({ job, end, status, endFile, after }: UnwatchedJob): Verdict {
    const before = after.some((file) => isBad(this.#verdicts.get(file))) ? 'failed' : 'fine';
    const found = judge({ job, end, status, before, silentSeconds: 0, patienceSeconds: 0 });
    const verdict: Verdict = found.kind === 'failed' && found.code === 'no-result' ? { kind: 'wait' } : found;
    this.#verdicts.set(endFile, verdict);
    return verdict;
  }

  /** The end files of the jobs that have ended. */
  listEnded(): Set<string> {
    return new Set([...this.#verdicts].filter(([, { kind }]) => kind !== 'wait').map(([file]) => file));
  }
}

function isBad(verdict: Verdict | undefined): boolean {
  return verdict?.kind === 'failed' || verdict?.kind === 'dropped';
}
