import type { TimelineSession, TimelineSpan } from '../../runner/timeline.ts';
import { formatBytes, formatSeconds } from '../view/format.ts';
import { toOneLine } from '../view/safe-text.ts';

/** Characters for the time from the first start to the last end. */
const BAR_WIDTH = 40;

/** The timeline as text: for each session a heading, then a line per instance with a bar, its time and its memory. */
export function timelineLines(sessions: readonly TimelineSession[], missing: readonly string[]): string[] {
  const spans = sessions.flatMap((session) => session.spans);
  const width = Math.max(0, ...[...spans.map(({ id }) => id), ...missing].map(({ length }) => length));
  const timeWidth = Math.max(0, ...spans.map(({ seconds }) => formatSeconds(seconds).length));
  const lines = sessions.flatMap((session, index) => [
    ...(index === 0 ? [] : ['']),
    describeSession(session),
    ...session.spans.map((span) =>
      [
        `  ${span.id.padEnd(width)}`,
        drawBar(span, session.seconds),
        formatSeconds(span.seconds).padStart(timeWidth),
        span.peakMemoryBytes === null ? 'memory unknown' : formatBytes(span.peakMemoryBytes),
        ...(span.totalSeconds === null
          ? []
          : [`${formatSeconds(span.totalSeconds)} with what it went on from`]),
        ...nameOrigin(span, session),
      ].join('  '),
    ),
  ]);
  return [...lines, ...missing.map((id) => `  ${id.padEnd(width)}  has not run`)];
}

/** `2026-11-26 00:22 UTC, 1 min 18 s, profile quick, on cedar`. */
function describeSession({ startedAt, seconds, hosts, profiles }: TimelineSession): string {
  const start = startedAt.slice(0, 16).replace('T', ' ');
  const list = (names: readonly string[]): string => names.map(toOneLine).join(', ');
  return `${start} UTC, ${formatSeconds(seconds)}, profile ${list(profiles)}, on ${list(hosts)}`;
}

/** Where they differ within a session, its heading alone does not tell which line is whose. */
function nameOrigin({ profile, host }: TimelineSpan, { profiles, hosts }: TimelineSession): string[] {
  const names = [
    ...(profiles.length > 1 ? [`profile ${toOneLine(profile)}`] : []),
    ...(hosts.length > 1 ? [`on ${toOneLine(host)}`] : []),
  ];
  return names.length === 0 ? [] : [names.join(', ')];
}

/** At least one character, within a frame as long as the session. */
function drawBar({ startSeconds, seconds }: TimelineSpan, sessionSeconds: number): string {
  const scale = BAR_WIDTH / Math.max(sessionSeconds, 1e-9);
  const from = Math.min(BAR_WIDTH - 1, Math.floor(startSeconds * scale));
  const length = Math.max(1, Math.min(BAR_WIDTH - from, Math.round(seconds * scale)));
  return `${' '.repeat(from)}${'█'.repeat(length)}`.padEnd(BAR_WIDTH);
}
