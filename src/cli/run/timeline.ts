import process from 'node:process';
import cliTruncate from 'cli-truncate';
import { loadPlanForReading, type PipelineOptions } from '../../apps/load-plan.ts';
import {
  drawTimelineFiles,
  readTimeline,
  type TimelineSession,
  type TimelineSpan,
} from '../../apps/timeline.ts';
import { ReproError, unreachable } from '../../errors.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { formatBytes } from '../../text.ts';
import { formatSeconds } from '../view/format.ts';
import { printJson, printWarning } from '../view/print.ts';
import { toOneLine } from '../view/safe-text.ts';

interface TimelineOptions extends PipelineOptions {
  readonly format: 'text' | 'svg' | 'csv' | 'json';
  readonly json?: boolean;
}

/** `repro timeline`: when each stage last ran, for how long, and with how much memory. */
export async function timeline(targets: readonly string[], options: TimelineOptions): Promise<void> {
  const plan = await loadPlanForReading(options, printWarning);
  const { named } = selectInstances(plan, { targets });
  const recorded = readTimeline(plan, named);
  const { sessions, missing } = recorded;
  const format = options.json === true ? 'json' : options.format;
  switch (format) {
    case 'json':
      printJson({ version: 1, command: 'timeline', profile: plan.profile, sessions, missing });
      return;
    case 'text':
      for (const line of timelineLines(sessions, missing, process.stdout.columns))
        process.stdout.write(`${line}\n`);
      return;
    case 'svg':
    case 'csv': {
      if (sessions.length === 0) {
        throw new ReproError('no-records', `none of these stages of profile ${plan.profile} has run`, {
          fix: 'Run them first: `repro run`.',
        });
      }
      const drawn = await drawTimelineFiles(recorded);
      process.stdout.write(drawn[format]);
      return;
    }
    default:
      unreachable(format);
  }
}

/** Characters for the time from the first start to the last end, if there is room. */
const longestBar = 40;
/** With fewer, names are cut. */
const shortestBar = 10;
const shortestName = 12;

/**
 * The timeline as text: for each session a heading, then a line per instance with a bar, its time and its memory.
 *
 * @param columns of the terminal; in a narrow one, bars are shorter, names are cut, and what no longer fits has a line of its own
 */
export function timelineLines(
  sessions: readonly TimelineSession[],
  missing: readonly string[],
  columns: number = Number.POSITIVE_INFINITY,
): string[] {
  const spans = sessions.flatMap((session) => session.spans);
  const names = [...spans.map(({ id }) => id), ...missing];
  const timeWidth = Math.max(0, ...spans.map(({ seconds }) => formatSeconds(seconds).length));
  const memoryWidth = Math.max(0, ...spans.map((span) => describeMemory(span).length));
  // Two spaces before each column, and none in the last of the terminal, where some would break the line.
  const room = columns - timeWidth - memoryWidth - 9;
  const longestName = Math.max(0, ...names.map((name) => name.length));
  const width = Math.max(shortestName, Math.min(longestName, room - shortestBar));
  const barWidth = Math.max(1, Math.min(longestBar, room - width));
  const nameOf = (id: string): string =>
    cliTruncate(id, width, { position: 'middle' }).padEnd(Math.min(width, longestName));
  const lines = sessions.flatMap((session, index) => [
    ...(index === 0 ? [] : ['']),
    ...wrap(describeSession(session), ', ', columns),
    ...session.spans.flatMap((span) => {
      const figures = [
        `  ${nameOf(span.id)}`,
        drawBar(span, session.seconds, barWidth),
        formatSeconds(span.seconds).padStart(timeWidth),
        describeMemory(span),
      ];
      const went = span.totalSeconds === null ? [] : [formatSeconds(span.totalSeconds)];
      const more = [...went.map((total) => `${total} in all attempts`), ...nameOrigin(span, session)];
      return wrap([figures.join('  '), ...more], '  ', columns);
    }),
  ]);
  return [...lines, ...missing.map((id) => `  ${nameOf(id)}  has not run`)];
}

/** Parts on one line, or where they do not fit, on further ones, indented. */
function wrap([first = '', ...more]: readonly string[], separator: string, columns: number): string[] {
  const lines = [first];
  for (const part of more) {
    const longer = `${lines.at(-1)}${separator}${part}`;
    if (longer.length < columns) lines[lines.length - 1] = longer;
    else lines.push(`    ${part}`);
  }
  return lines;
}

function describeMemory({ peakMemoryBytes }: TimelineSpan): string {
  return peakMemoryBytes === null ? 'memory unknown' : formatBytes(peakMemoryBytes);
}

/** `2026-11-26 00:22 UTC, 1 min 18 s, profile quick, on cedar`. */
function describeSession({ startedAt, seconds, hosts, profiles }: TimelineSession): string[] {
  const start = startedAt.slice(0, 16).replace('T', ' ');
  const list = (names: readonly string[]): string => names.map(toOneLine).join(', ');
  return [`${start} UTC`, formatSeconds(seconds), `profile ${list(profiles)}`, `on ${list(hosts)}`];
}

/** Where they differ within a session, its heading alone does not tell which line is whose. */
function nameOrigin({ configuration, host }: TimelineSpan, { profiles, hosts }: TimelineSession): string[] {
  const names = [
    ...(profiles.length > 1 ? [`profile ${toOneLine(configuration)}`] : []),
    ...(hosts.length > 1 ? [`on ${toOneLine(host)}`] : []),
  ];
  return names.length === 0 ? [] : [names.join(', ')];
}

/** At least one character, within a frame as long as the session. */
function drawBar({ startSeconds, seconds }: TimelineSpan, sessionSeconds: number, width: number): string {
  const scale = width / Math.max(sessionSeconds, 1e-9);
  const from = Math.min(width - 1, Math.floor(startSeconds * scale));
  const length = Math.max(1, Math.min(width - from, Math.round(seconds * scale)));
  return `${' '.repeat(from)}${'█'.repeat(length)}`.padEnd(width);
}
