import process from 'node:process';
import { loadSelectedPlan, type PipelineOptions } from '../../apps/load-plan.ts';
import { readTimeline, type TimelineSession, type TimelineSpan } from '../../apps/timeline.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { formatBytes, formatMinute } from '../../text.ts';
import { formatSeconds } from '../view/format.ts';
import { alignTable, printResult, toOneLine } from '../view/print.ts';

/** `repro timeline`: when each stage last ran, for how long, and with how much memory. */
export async function timeline(
  targets: readonly string[],
  options: PipelineOptions & { readonly json?: boolean },
): Promise<void> {
  const plan = await loadSelectedPlan(options);
  const { named } = selectInstances(plan, { targets });
  const { sessions, missing } = readTimeline(plan, named);
  printResult(options, 'timeline', { profile: plan.profile, sessions, missing }, () =>
    timelineLines(sessions, missing),
  );
}

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

/** `repro graph`: shows the stages and their dependencies. */
export async function graph(
  options: PipelineOptions & { readonly format: 'text' | 'svg' | 'json' },
): Promise<void> {
  const { renderGraph } = await import('../../runner/extras/drawing.ts');
  const plan = await loadSelectedPlan(options);
  process.stdout.write(`${renderGraph(plan, options.json === true ? 'json' : options.format).trimEnd()}\n`);
}
