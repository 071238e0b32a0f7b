/** `active`: it waits, runs or will run again. `unknown`: the runner does not know Slurm's word. */
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
  /** Why it waits, or why it ended; null if Slurm does not say. */
  readonly reason: string | null;
  readonly node: string | null;
  /** How long it has run; null if it has not. */
  readonly elapsedSeconds: number | null;
  /** The exit code of its script, if it ended by itself with a code other than 0. */
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

/** Jobs by `nameJob`. */
export type JobTable = ReadonlyMap<string, JobStatus>;

/** The columns that `parseQueue` reads: array or job id, index, state, elapsed, node, reason. */
export const queueFormat = '%F|%K|%T|%M|%N|%r';

/** The columns that `addExitCodes` reads, from a second call: `--format` does not have them. */
export const exitCodeFormat = 'ArrayJobID:20,ArrayTaskID:20,exit_code:20';

/** The columns that `parseAccounting` reads. */
export const accountingFormat = 'JobID,State,Elapsed,NodeList,ExitCode';

/**
 * Reads the answer of `squeue --array --noheader --states=all` with {@link queueFormat}. Lines of another form are skipped: a job that is
 * not in the table need not have ended.
 */
export function parseQueue(text: string): JobTable {
  const table = new Map<string, JobStatus>();
  for (const line of text.split('\n')) {
    const [id = '', index = '', state = '', elapsed = '', node = '', ...reason] = line.trim().split('|');
    if (!/^\d+$/.test(id) || !/^[A-Z_]+$/.test(state) || reason.length === 0) continue;
    if (!/^(\d+|N\/A)$/.test(index)) continue;
    table.set(nameJob(id, index === 'N/A' ? null : Number(index)), {
      state,
      reason: readCell(reason.join('|')),
      node: readCell(node),
      elapsedSeconds: parseElapsed(elapsed),
    });
  }
  return table;
}

/** Whether the reason says that the script ended with a code other than 0, but not which. */
export function lacksExitCode({ reason, exitCode }: JobStatus): boolean {
  return reason === 'NonZeroExitCode' && exitCode === undefined;
}

/** Adds the exit codes from `squeue --array --noheader --states=all` with {@link exitCodeFormat}. */
export function addExitCodes(table: JobTable, text: string): JobTable {
  const added = new Map(table);
  for (const line of text.split('\n')) {
    const [id = '', index = '', code = ''] = line.trim().split(/\s+/);
    const job = nameJob(id, index === 'N/A' ? null : Number(index));
    const status = table.get(job);
    if (status !== undefined) added.set(job, { ...status, ...readExitCode(code) });
  }
  return added;
}

/** Reads the answer of `sacct --allocations --array --noheader --parsable2` with {@link accountingFormat}. */
export function parseAccounting(text: string): JobTable {
  const table = new Map<string, JobStatus>();
  for (const line of text.split('\n')) {
    const [job = '', words = '', elapsed = '', node = '', code = ''] = line.trim().split('|');
    // `CANCELLED by 1000`.
    const [state = ''] = words.split(' ');
    if (!/^\d+(_\d+)?$/.test(job) || !/^[A-Z_]+$/.test(state)) continue;
    const [, signal = '0'] = code.split(':');
    table.set(job, {
      state,
      // As the queue says it.
      reason: /^[1-9]\d*$/.test(signal) ? `RaisedSignal:${signal}` : null,
      node: readCell(node),
      elapsedSeconds: parseElapsed(elapsed),
      ...readExitCode(code),
    });
  }
  return table;
}

/** `79:0`: the exit code, and the signal if one ended the script. */
function readExitCode(text: string): { readonly exitCode?: number } {
  const [, code = '0'] = /^(\d+):0$/.exec(text) ?? [];
  return code === '0' ? {} : { exitCode: Number(code) };
}

function readCell(text: string): string | null {
  const value = text.trim();
  return ['', 'None', '(null)', 'N/A', 'None assigned'].includes(value) ? null : value;
}

/** `4:05`, `01:02:03`, `2-00:00:10` as seconds; null for anything else. */
export function parseElapsed(text: string): number | null {
  const match = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)$/.exec(text.trim());
  if (match === null) return null;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
}

/** What Slurm's commands print if the controller cannot be reached or is too busy; also valid as a bash pattern. */
export const noAnswer =
  /unable to contact|socket timed out|connection (refused|timed out|failure|reset)|not responding|zero bytes were transmitted|communication (connection|error)|resource temporarily unavailable|slurmctld.*(down|standby)|in standby mode|protocol authentication error|unexpected message received|failed to fetch config|slurm_persist_conn_open|try again later/i;
