/** `active`: it waits, runs or will run again. `unknown`: a word that this runner does not know. */
export type JobPhase = 'active' | 'ended' | 'unknown';

const active: ReadonlySet<string> = new Set([
  'PENDING',
  'CONFIGURING',
  'RUNNING',
  'COMPLETING',
  'SIGNALING',
  'STAGE_OUT',
  'STOPPED',
  'SUSPENDED',
  'RESIZING',
  'REQUEUED',
  'REQUEUE_FED',
  'REQUEUE_HOLD',
  'RESV_DEL_HOLD',
  'SPECIAL_EXIT',
]);

const ended: ReadonlySet<string> = new Set([
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'TIMEOUT',
  'NODE_FAIL',
  'PREEMPTED',
  'OUT_OF_MEMORY',
  'BOOT_FAIL',
  'DEADLINE',
  'REVOKED',
]);

/** What Slurm says about one job, or one task of an array. */
export interface JobStatus {
  /** Slurm's word, such as `PENDING` or `OUT_OF_MEMORY`. */
  readonly state: string;
  /** Why it waits, or why it ended so; null if Slurm says nothing. */
  readonly reason: string | null;
  readonly node: string | null;
  /** How long it has run; null if it has not. */
  readonly elapsedSeconds: number | null;
  /** Of its script, once that has ended by itself with another code than 0. */
  readonly exitCode?: number;
}

export function phaseOf(state: string): JobPhase {
  if (active.has(state)) return 'active';
  return ended.has(state) ? 'ended' : 'unknown';
}

/** Whether it occupies a node now. */
export function isOnNode(state: string): boolean {
  return (
    phaseOf(state) === 'active' && !state.startsWith('RE') && !['PENDING', 'SPECIAL_EXIT'].includes(state)
  );
}

/** `12`, or `12_3` for a task of an array. */
export function nameJob(jobId: string, index: number | null): string {
  return index === null ? jobId : `${jobId}_${index}`;
}
