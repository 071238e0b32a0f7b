import type { Plan } from '../plan/plan.ts';
import type { RunEvent } from '../run/events.ts';
import { openRecords } from '../store/records.ts';
import { jobOf, type SubmittedBatch } from './batch.ts';

interface UnwatchedEnd {
  readonly job: string;
  readonly fingerprint: string;
}

/**
 * What the jobs of a run have done while nobody watched: an instance that is up to date because of that is told as one that has run.
 *
 * @param batches of the run, the earliest first
 * @returns the event to show instead
 */
export function tellUnwatchedEnds(
  plan: Plan,
  batches: readonly SubmittedBatch[],
): (event: RunEvent) => RunEvent {
  const ends = new Map(batches.flatMap(listEnds));
  const records = openRecords(plan);
  return (event) => {
    if (event.kind !== 'cached' || event.restored.length > 0 || event.removed.length > 0) return event;
    const { id } = event;
    const [end, record] = [ends.get(id), records.findLast(id)];
    // Another run has made it since.
    if (end === undefined || record?.fingerprint !== end.fingerprint) return event;
    const { seconds, totalSeconds, metrics } = record;
    return { kind: 'finished', id, seconds, ...(totalSeconds && { totalSeconds }), metrics, job: end.job };
  };
}

function listEnds({ batch, folder }: SubmittedBatch): (readonly [id: string, UnwatchedEnd])[] {
  return batch.tasks.flatMap(({ id, index }) => {
    const [end, job] = [folder.readEnd(index), jobOf(batch, index)];
    return end?.kind === 'done' && job !== null ? [[id, { job, fingerprint: end.fingerprint }] as const] : [];
  });
}
