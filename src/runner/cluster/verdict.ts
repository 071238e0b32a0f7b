import { type JobStatus, phaseOf } from '../../executors/slurm/job-state.ts';
import type { TaskEnd } from './task-end.ts';

/** All that is known about a job at a moment. */
export interface Evidence {
  readonly job: string;
  /** What it left behind; null: nothing, or nothing that is visible here yet. */
  readonly end: TaskEnd | null;
  /** What Slurm says; `absent`: it answered, and does not know the job any more; null: it did not answer. */
  readonly status: JobStatus | 'absent' | null;
  /** For how long Slurm has said that it has ended, or has not known it, while `end` did not appear. */
  readonly silentSeconds: number;
  /** How long files of another node may take to appear. */
  readonly patienceSeconds: number;
}

/** What became of a job. */
export type Verdict =
  /** It waits or runs, or nobody knows. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'done' | 'hit'; readonly fingerprint: string }
  /** Something that it depends on failed, so Slurm dropped it: it may be submitted again. */
  | { readonly kind: 'dropped' }
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly text: string };

/** A stage's own code, or one of these. */
export type FailureCode = string;

/** Failures that are none of the stage's own. */
export const nodeFailures: ReadonlySet<string> = new Set(['preempted', 'node-failed']);

const wait: Verdict = { kind: 'wait' };

/**
 * Judges a job by what it left behind, and only if that is nothing, by Slurm's word for its state. An exit code is never asked: a job that
 * was killed from outside has none that means anything.
 */
export function judge(evidence: Evidence): Verdict {
  const { end, status, job } = evidence;
  if (end !== null && end.kind !== 'interrupted') {
    return end.kind === 'failed'
      ? { kind: 'failed', code: end.code, text: end.text }
      : { kind: end.kind, fingerprint: end.fingerprint };
  }
  if (status === null) return wait;
  if (status === 'absent') {
    return isPatient(evidence)
      ? wait
      : fail('job-lost', `Slurm no longer knows job ${job}, and it left no result`);
  }
  // It is kept in the queue only where the cluster is set up so.
  if (status.reason === 'DependencyNeverSatisfied') return { kind: 'dropped' };
  if (phaseOf(status.state) !== 'ended') return wait;
  // Dropped, or cancelled before it began: no file will follow.
  const hasRun = (status.elapsedSeconds ?? 0) > 0 || status.node !== null;
  if (status.state === 'CANCELLED' && !hasRun) {
    return status.reason === 'Dependency' ? { kind: 'dropped' } : describeEnd(status, job);
  }
  return end === null && isPatient(evidence) ? wait : describeEnd(status, job);
}

/** A result may be there before it is visible here. */
function isPatient({ silentSeconds, patienceSeconds }: Evidence): boolean {
  return silentSeconds < patienceSeconds;
}

function describeEnd({ state, node, reason }: JobStatus, job: string): Verdict {
  const where = `job ${job}${node === null ? '' : ` on ${node}`}`;
  switch (state) {
    case 'TIMEOUT':
    case 'DEADLINE':
      return fail('timeout', `${where} reached its time limit`);
    case 'OUT_OF_MEMORY':
      return fail(
        'out-of-memory',
        `${where} needed more memory than it had asked for\n  Raise resources.memory of the stage.`,
      );
    case 'PREEMPTED':
      return fail('preempted', `${where} had to make room for another job`);
    case 'NODE_FAIL':
    case 'BOOT_FAIL':
      return fail('node-failed', `the node of ${where} failed`);
    case 'CANCELLED':
    case 'REVOKED':
      return fail('cancelled', `${where} was cancelled`);
    case 'COMPLETED':
      return fail(
        'no-result',
        `${where} ended well, but its result is not in this folder\n  The project has to be on a file system that the nodes share.`,
      );
    default: {
      const why = reason === null ? '' : ` (${reason})`;
      const hint = /RaisedSignal:9\b/.test(reason ?? '')
        ? '\n  Unless someone did that by hand, the node ran out of memory: raise resources.memory of the stage.'
        : '';
      return fail('job-failed', `${where} ended as ${state}${why} before the stage could say why${hint}`);
    }
  }
}

function fail(code: string, text: string): Verdict {
  return { kind: 'failed', code, text };
}
