import { type JobStatus, nameJob } from './job-state.ts';

/** Jobs by `nameJob`. */
export type JobTable = ReadonlyMap<string, JobStatus>;

/** The columns that `parseQueue` reads: array or job id, index, state, elapsed, node, reason. */
export const queueFormat = '%F|%K|%T|%M|%N|%r';

/** The columns that `parseAccounting` reads. */
export const accountingFormat = 'JobID,State,Elapsed,NodeList';

/**
 * The answer of `squeue --array --noheader --states=all` with {@link queueFormat}. Lines of another form say nothing: a job that is not
 * in the table is not thereby ended.
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

/** The answer of `sacct --allocations --array --noheader --parsable2` with {@link accountingFormat}. */
export function parseAccounting(text: string): JobTable {
  const table = new Map<string, JobStatus>();
  for (const line of text.split('\n')) {
    const [job = '', words = '', elapsed = '', node = ''] = line.trim().split('|');
    // `CANCELLED by 1000`.
    const [state = ''] = words.split(' ');
    if (!/^\d+(_\d+)?$/.test(job) || !/^[A-Z_]+$/.test(state)) continue;
    table.set(job, { state, reason: null, node: readCell(node), elapsedSeconds: parseElapsed(elapsed) });
  }
  return table;
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
