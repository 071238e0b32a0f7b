import { arrangeTimeline, type TimelineSession } from '../../runner/extras/timeline.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { openRecords } from '../../runner/store/records.ts';

/** What is known of the last successful runs of some instances. */
export interface RecordedTimeline {
  readonly sessions: readonly TimelineSession[];
  /** Ids of those that never succeeded here. */
  readonly missing: readonly string[];
}

export function readTimeline(plan: Plan, ids: Iterable<string>): RecordedTimeline {
  const records = openRecords(plan);
  const found = [...ids].map((id) => ({ id, record: records.findLast(id) }));
  return {
    sessions: arrangeTimeline(found.flatMap(({ record }) => record ?? [])),
    missing: found.filter(({ record }) => record === null).map(({ id }) => id),
  };
}
