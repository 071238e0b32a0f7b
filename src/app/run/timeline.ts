import type { Plan } from '../../runner/plan/plan.ts';
import { nameConfiguration, openRecords, type RunRecord } from '../../runner/store/records.ts';

/** When an instance last ran, for how long, and with how much memory. */
export interface TimelineSpan {
  readonly id: string;
  readonly stage: string;
  /** After the start of its session. */
  readonly startSeconds: number;
  readonly seconds: number;
  /** With the executions from which it resumed; null if there were none. */
  readonly totalSeconds: number | null;
  /** Largest resident set; null if unknown. */
  readonly peakMemoryBytes: number | null;
  readonly host: string;
  readonly profile: string;
  /** The profile, and what a trial changed of it: `quick with train.epochs=3`. */
  readonly configuration: string;
}

/** Instances that ran one after another or at the same time, with no long pause between them. */
export interface TimelineSession {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** From the first start to the last end. */
  readonly seconds: number;
  /** Names of the machines, sorted: results may be fetched from others. */
  readonly hosts: readonly string[];
  /** Profiles with which they ran, with what trials changed of them, sorted. */
  readonly profiles: readonly string[];
  readonly spans: readonly TimelineSpan[];
}

/** The last successful runs of some instances. */
interface RecordedTimeline {
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

/** A pause longer than this separates sessions: on one time axis, it would leave no room for what happened. */
const LONGEST_PAUSE_SECONDS = 60;

/**
 * The last runs of some instances by their start, in sessions. A graph may have several: an instance that was up to date keeps the time of
 * the run that made its outputs.
 */
export function arrangeTimeline(records: readonly RunRecord[]): TimelineSession[] {
  const sorted = records
    .map((record) => ({ record, start: Date.parse(record.startedAt) / 1000 }))
    .sort((a, b) => a.start - b.start || (a.record.id < b.record.id ? -1 : 1));
  const groups: { start: number; end: number; members: typeof sorted }[] = [];
  for (const one of sorted) {
    const end = one.start + one.record.seconds;
    const last = groups.at(-1);
    if (last === undefined || one.start > last.end + LONGEST_PAUSE_SECONDS) {
      groups.push({ start: one.start, end, members: [one] });
    } else {
      last.members.push(one);
      last.end = Math.max(last.end, end);
    }
  }
  return groups.map(({ start, end, members }) => ({
    startedAt: new Date(start * 1000).toISOString(),
    seconds: end - start,
    hosts: [...new Set(members.map(({ record }) => record.host))].sort(),
    profiles: [...new Set(members.map(({ record }) => nameConfiguration(record)))].sort(),
    spans: members.map(({ record, start: at }) => ({
      id: record.id,
      stage: record.stage,
      startSeconds: at - start,
      seconds: record.seconds,
      totalSeconds: record.totalSeconds ?? null,
      peakMemoryBytes: record.peakMemoryBytes,
      host: record.host,
      profile: record.profile,
      configuration: nameConfiguration(record),
    })),
  }));
}
