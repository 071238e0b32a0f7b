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

const endedStates: ReadonlySet<string> = new Set([
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

/** Whether a state is final. A word that is not known here may be that of a job at work. */
export function isFinal(state: string): boolean {
  return endedStates.has(state);
}

/** Whether it occupies a node now. */
export function isOnNode(state: string): boolean {
  return !isFinal(state) && !state.startsWith('RE') && !['PENDING', 'SPECIAL_EXIT'].includes(state);
}

/** Jobs by `12`, or `12_3` for a task of an array. */
export type JobTable = ReadonlyMap<string, JobStatus>;

/** Columns of fixed width, since names and reasons may contain any sign. */
const queueColumns = [
  ['ArrayJobID', 20],
  ['ArrayTaskID', 20],
  ['State', 20],
  ['TimeUsed', 20],
  ['exit_code', 20],
  ['NodeList', 120],
  ['Reason', 200],
] as const;

/** What {@link parseQueue} reads. */
export const queueFormat = queueColumns.map((column) => column.join(':')).join(',');

/**
 * Reads the answer of `squeue --array --noheader --states=all` with {@link queueFormat}. Lines of another form are skipped: a job that is
 * not in the table need not have ended.
 */
export function parseQueue(text: string): JobTable {
  const table = new Map<string, JobStatus>();
  for (const line of text.split('\n')) {
    let at = 0;
    const cells = queueColumns.map(([, width]) => {
      at += width;
      return line.slice(at - width, at).trim();
    });
    const [id = '', index = '', ...rest] = cells;
    if (/^\d+$/.test(id) && /^(\d+|N\/A)$/.test(index))
      add(table, index === 'N/A' ? id : `${id}_${index}`, rest);
  }
  return table;
}

/** The columns that {@link parseAccounting} reads. */
export const accountingFormat = 'JobID,State,Elapsed,ExitCode,NodeList';

/** Reads the answer of `sacct --allocations --array --noheader --parsable2` with {@link accountingFormat}. */
export function parseAccounting(text: string): JobTable {
  const table = new Map<string, JobStatus>();
  for (const line of text.split('\n')) {
    const [job = '', state = '', elapsed = '', code = '', node = ''] = line.trim().split('|');
    const [, signal = '0'] = code.split(':');
    // As the queue says it.
    const reason = /^[1-9]\d*$/.test(signal) ? `RaisedSignal:${signal}` : '';
    // `CANCELLED by 1000`.
    if (/^\d+(_\d+)?$/.test(job)) add(table, job, [state.replace(/ .*/, ''), elapsed, code, node, reason]);
  }
  return table;
}

function add(table: Map<string, JobStatus>, job: string, cells: readonly string[]): void {
  const [state = '', elapsed = '', code = '', node = '', reason = ''] = cells;
  if (!/^[A-Z_]+$/.test(state)) return;
  // `79:0`: the exit code of its script, and the signal if one ended it.
  const [, exitCode = '0'] = /^(\d+):0$/.exec(code) ?? [];
  table.set(job, {
    ...{ state, reason: readCell(reason), node: readCell(node), elapsedSeconds: parseElapsed(elapsed) },
    ...(exitCode !== '0' && { exitCode: Number(exitCode) }),
  });
}

function readCell(text: string): string | null {
  return ['', 'None', '(null)', 'N/A', 'None assigned'].includes(text) ? null : text;
}

/** `4:05`, `01:02:03`, `2-00:00:10` as seconds; null for anything else. */
export function parseElapsed(text: string): number | null {
  const match = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)$/.exec(text);
  if (match === null) return null;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}

/** What Slurm's commands print if the controller cannot be reached or is too busy. */
export const noAnswer =
  /unable to contact|socket timed out|connection (refused|timed out|failure|reset)|not responding|zero bytes were transmitted|communication (connection|error)|resource temporarily unavailable|slurmctld.*(down|standby)|in standby mode|protocol authentication error|unexpected message received|failed to fetch config|slurm_persist_conn_open|try again later/i;
