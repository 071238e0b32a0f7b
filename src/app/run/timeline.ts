import { formatBytes, formatMinute } from '../../base/text.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { nameConfiguration, openRecords, type RunRecord } from '../../runner/store/records.ts';
import { loadSelectedPlan, type PipelineOptions } from '../project/load-plan.ts';
import { formatSeconds } from '../view/format.ts';
import { printResult, toOneLine } from '../view/print.ts';
import { alignTable } from '../view/table.ts';

/** `repro timeline`: when each stage last ran, for how long, and with how much memory. */
export async function timeline(targets: readonly string[], options: PipelineOptions): Promise<void> {
  const plan = await loadSelectedPlan(options);
  const { named } = selectInstances(plan, { targets });
  const records = openRecords(plan);
  const found = [...named].map((id) => ({ id, record: records.findLast(id) }));
  const sessions = arrangeTimeline(found.flatMap(({ record }) => record ?? []));
  const missing = found.filter(({ record }) => record === null).map(({ id }) => id);
  printResult(options, 'timeline', { profile: plan.profile, sessions, missing }, () =>
    timelineLines(sessions, missing),
  );
}

/** A pause longer than this separates sessions: on one time axis, it would leave no room for what happened. */
const LONGEST_PAUSE_SECONDS = 60;

/**
 * The last runs of some instances by their start, in sessions. A graph may have several: an instance that was up to date keeps the time of
 * the run that made its outputs.
 */
export function arrangeTimeline(records: readonly RunRecord[]) {
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
      // After the start of its session.
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

/** Instances that ran one after another or at the same time, with no long pause between them. */
type TimelineSession = ReturnType<typeof arrangeTimeline>[number];
type TimelineSpan = TimelineSession['spans'][number];

/** Characters for the time from the first start to the last end of a session. */
const barWidth = 20;

/** For each session a heading, then a line per instance with a bar, its time and its memory. */
export function timelineLines(sessions: readonly TimelineSession[], missing: readonly string[]): string[] {
  const spans = sessions.flatMap((session) => session.spans.map((span) => ({ session, span })));
  const timeWidth = Math.max(0, ...spans.map(({ span }) => formatSeconds(span.seconds).length));
  const rows = alignTable([
    ...spans.map(({ session, span }) => [
      span.id,
      drawBar(span, session.seconds),
      formatSeconds(span.seconds).padStart(timeWidth),
      span.peakMemoryBytes === null ? 'memory unknown' : formatBytes(span.peakMemoryBytes),
    ]),
    ...missing.map((id) => [id, 'has not run']),
  ]).map((row) => `  ${row}`);
  const lines = sessions.flatMap((session, index) => [
    ...(index === 0 ? [] : ['']),
    describeSession(session),
    ...session.spans.flatMap((span) => [rows.shift() ?? '', ...describeMore(span, session)]),
  ]);
  return [...lines, ...rows];
}

/** `2026-11-26 00:22 UTC, 1 min 18 s, profile quick, on cedar`. */
function describeSession({ startedAt, seconds, hosts, profiles }: TimelineSession): string {
  return toOneLine(
    `${formatMinute(startedAt)}, ${formatSeconds(seconds)}, profile ${profiles.join(', ')}, on ${hosts.join(', ')}`,
  );
}

/** How long all attempts took; and where they differ within a session, whose the line above is. */
function describeMore(
  { totalSeconds, configuration, host }: TimelineSpan,
  { profiles, hosts }: TimelineSession,
): string[] {
  const parts = [
    ...(totalSeconds === null ? [] : [`${formatSeconds(totalSeconds)} in all attempts`]),
    ...(profiles.length > 1 ? [`profile ${configuration}`] : []),
    ...(hosts.length > 1 ? [`on ${host}`] : []),
  ];
  return parts.length === 0 ? [] : [`    ${toOneLine(parts.join(', '))}`];
}

/** At least one character, within a frame as long as the session. */
function drawBar({ startSeconds, seconds }: TimelineSpan, sessionSeconds: number): string {
  const scale = barWidth / Math.max(sessionSeconds, 1e-9);
  const from = Math.min(barWidth - 1, Math.floor(startSeconds * scale));
  const length = Math.max(1, Math.min(barWidth - from, Math.round(seconds * scale)));
  return `${' '.repeat(from)}${'█'.repeat(length)}`.padEnd(barWidth);
}
