import process from 'node:process';
import cliTruncate from 'cli-truncate';
import { loadSelectedPlan, type PipelineOptions } from '../../apps/load-plan.ts';
import { readTimeline, type TimelineSession, type TimelineSpan } from '../../apps/timeline.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { formatBytes, formatMinute } from '../../text.ts';
import { formatSeconds } from '../view/format.ts';
import { printResult, toOneLine } from '../view/print.ts';
import { alignTable } from '../view/table.ts';

/** `repro timeline`: when each stage last ran, for how long, and with how much memory. */
export async function timeline(
  targets: readonly string[],
  options: PipelineOptions & { readonly json?: boolean },
): Promise<void> {
  const plan = await loadSelectedPlan(options);
  const { named } = selectInstances(plan, { targets });
  const { sessions, missing } = readTimeline(plan, named);
  printResult(options, 'timeline', { profile: plan.profile, sessions, missing }, () =>
    timelineLines(sessions, missing, process.stdout.columns),
  );
}

/** Characters for the time from the first start to the last end of a session. */
const longestBar = 40;
const shortestBar = 10;

/**
 * The timeline as text: for each session a heading, then a line per instance with a bar, its time and its memory.
 *
 * @param columns of the terminal; in a narrow one, bars are shorter, and what does not fit is cut off
 */
export function timelineLines(
  sessions: readonly TimelineSession[],
  missing: readonly string[],
  columns: number = Number.POSITIVE_INFINITY,
): string[] {
  const spans = sessions.flatMap((session) => session.spans.map((span) => ({ session, span })));
  const timeWidth = Math.max(0, ...spans.map(({ span }) => formatSeconds(span.seconds).length));
  const cells = [
    ...spans.map(({ span }) => [
      span.id,
      formatSeconds(span.seconds).padStart(timeWidth),
      span.peakMemoryBytes === null ? 'memory unknown' : formatBytes(span.peakMemoryBytes),
    ]),
    ...missing.map((id) => [id, 'has not run']),
  ];
  const widest = Math.max(0, ...alignTable(cells).map((line) => line.length));
  const barWidth = Math.max(shortestBar, Math.min(longestBar, columns - widest - 5));
  const rows = alignTable(
    cells.map(([id = '', ...more], i) => {
      const { session, span } = spans[i] ?? {};
      return session === undefined || span === undefined
        ? [id, ...more]
        : [id, drawBar(span, session.seconds, barWidth), ...more];
    }),
  );
  const lines = sessions.flatMap((session, index) => [
    ...(index === 0 ? [] : ['']),
    describeSession(session),
    ...session.spans.flatMap((span) => [
      `  ${rows[spans.findIndex((one) => one.span === span)]}`,
      ...describeMore(span, session),
    ]),
  ]);
  const all = [...lines, ...rows.slice(spans.length).map((row) => `  ${row}`)];
  return Number.isFinite(columns) ? all.map((line) => cliTruncate(line, columns - 1)) : all;
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
function drawBar({ startSeconds, seconds }: TimelineSpan, sessionSeconds: number, width: number): string {
  const scale = width / Math.max(sessionSeconds, 1e-9);
  const from = Math.min(width - 1, Math.floor(startSeconds * scale));
  const length = Math.max(1, Math.min(width - from, Math.round(seconds * scale)));
  return `${' '.repeat(from)}${'█'.repeat(length)}`.padEnd(width);
}

/** `repro graph`: shows the stages and their dependencies. */
export async function graph(
  options: PipelineOptions & { readonly format: 'text' | 'svg' | 'json' },
): Promise<void> {
  const { renderGraph } = await import('../../runner/extras/drawing.ts');
  const plan = await loadSelectedPlan(options);
  process.stdout.write(`${renderGraph(plan, options.json === true ? 'json' : options.format).trimEnd()}\n`);
}
