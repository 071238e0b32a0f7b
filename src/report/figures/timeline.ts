import { escapeControls, formatBytes, formatMinute, shortenText } from '../../text.ts';
import { formatQuantity, groupDigits, joinWords } from '../data/format.ts';
import type { Figure, Panel, PanelSpec } from '../drawing/figure.ts';
import { colorVariable } from '../drawing/palette.ts';
import { bands, linearAxis, nominal } from '../drawing/theme.ts';

/** When an instance last ran, for how long, and with how much memory. */
export interface TimelineSpan {
  readonly id: string;
  readonly stage: string;
  /** After the start of its session. */
  readonly startSeconds: number;
  readonly seconds: number;
  /** With the executions that it went on from, which are not drawn; null if there were none. */
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

export interface Timeline {
  readonly figure: Figure;
  /** What the drawing itself must say: what it leaves out, and what never ran. */
  readonly notice: string | null;
}

const TIME_WIDTH = 560;
const MEMORY_WIDTH = 400;
const ROW = 22;
const PADDING = { right: 16, top: 34, bottom: 40 };
/** What a session takes besides its bars, with the gap to the next. */
const SESSION = PADDING.top + PADDING.bottom + 24;
/** Two screens: nobody reads a higher drawing. */
const HEIGHT_AT_MOST = 1800;
/** Without a browser, texts are measured half as wide again as they are. */
const MEASURED_WIDE = 1.5;
/** Generous estimate of the mean character width of a label. */
const LABEL_CHARACTER = 6.2;
/** A longer name of a machine or a profile is cut off. */
const NAME_LENGTH = 24;

const UNITS = [
  { seconds: 86_400, name: 'days' },
  { seconds: 3600, name: 'hours' },
  { seconds: 60, name: 'minutes' },
  { seconds: 1, name: 'seconds' },
] as const;

/**
 * Time and memory of each stage, a pair of panels for each session: the first over time, the second by size.
 *
 * @param missing names of those that never succeeded
 */
export function drawTimeline(
  sessions: readonly TimelineSession[],
  missing: readonly string[] = [],
): Timeline {
  const total = sessions.flatMap(({ spans }) => spans).length;
  const chosen = chooseBars(sessions);
  const drawn = sessions
    .map((session) => ({ ...session, spans: session.spans.filter((span) => chosen.has(span)) }))
    .filter(({ spans }) => spans.length > 0);
  const notice = [
    ...(chosen.size < total
      ? [
          `${groupDigits(chosen.size)} of ${groupDigits(total)} are drawn: those that took longest; the CSV has all.`,
        ]
      : []),
    ...(missing.length === 0
      ? []
      : [`${missing.length === 1 ? missing[0] : groupDigits(missing.length)} never succeeded.`]),
  ].join(' ');
  const figure: Figure = {
    id: 'timeline',
    title: 'Time and memory: the last successful run of each stage',
    caption: `In sessions without a pause of more than a minute. Memory is the largest resident set.`,
    alt: `Bars of ${formatQuantity(chosen.size, 'stage')} over time, and of their memory, in ${formatQuantity(drawn.length, 'session')}. ${notice}`.trim(),
    legend: [],
    columns: 2,
    panels: drawn.flatMap((session) => [drawTimes(session), drawMemory(session)]),
    data: tabulate(sessions),
  };
  return { figure, notice: notice === '' ? null : notice };
}

/** Bars until the drawing is full: first the longest of each stage, then the longest of the others. At least one. */
function chooseBars(sessions: readonly TimelineSession[]): ReadonlySet<TimelineSpan> {
  const ranked = sessions
    .flatMap((session) => session.spans.map((bar) => ({ session, bar })))
    .sort((a, b) => b.bar.seconds - a.bar.seconds || (a.bar.id < b.bar.id ? -1 : 1));
  const longest = new Map(ranked.toReversed().map((one) => [one.bar.stage, one]));
  const chosen = new Set<TimelineSpan>();
  const opened = new Set<TimelineSession>();
  let left = HEIGHT_AT_MOST;
  const isOther = (one: (typeof ranked)[number]) => longest.get(one.bar.stage) !== one;
  for (const { session, bar } of [...ranked.filter((one) => !isOther(one)), ...ranked.filter(isOther)]) {
    left -= ROW + (opened.has(session) ? 0 : SESSION);
    if (left < 0 && chosen.size > 0) break;
    chosen.add(bar);
    opened.add(session);
  }
  return chosen;
}

function drawTimes({ startedAt, hosts, profiles, spans }: TimelineSession): Panel {
  const end = Math.max(...spans.map(({ startSeconds, seconds }) => startSeconds + seconds), 0.1);
  const unit = UNITS.find(({ seconds }) => end >= 3 * seconds) ?? UNITS[3];
  return drawBars({
    title: `${formatMinute(startedAt)}, profile ${nameAll(profiles)}, on ${nameAll(hosts)}`,
    axisTitle: `${unit.name} since the first start`,
    width: TIME_WIDTH,
    end: end / unit.seconds,
    bars: spans.map(({ id, startSeconds, seconds, totalSeconds, host, configuration }) => ({
      id,
      from: startSeconds / unit.seconds,
      to: (startSeconds + seconds) / unit.seconds,
      // Where they differ within a session, its title alone does not tell which bar is whose.
      label: [
        `${formatDuration(seconds)}${totalSeconds === null ? '' : ` of ${formatDuration(totalSeconds)}`}`,
        ...(profiles.length > 1 ? [shorten(configuration)] : []),
        ...(hosts.length > 1 ? [shorten(host)] : []),
      ].join(', '),
    })),
  });
}

function drawMemory({ spans }: TimelineSession): Panel {
  const largest = Math.max(...spans.map(({ peakMemoryBytes }) => peakMemoryBytes ?? 0), 1);
  const unit = largest >= 2e9 ? { bytes: 1e9, name: 'GB' } : { bytes: 1e6, name: 'MB' };
  return drawBars({
    title: 'Memory',
    axisTitle: `peak, ${unit.name}`,
    width: MEMORY_WIDTH,
    end: largest / unit.bytes,
    bars: spans.map(({ id, peakMemoryBytes }) => ({
      id,
      from: 0,
      to: (peakMemoryBytes ?? 0) / unit.bytes,
      label: peakMemoryBytes === null ? 'unknown' : formatBytes(peakMemoryBytes),
    })),
  });
}

/** `quick`, `full and quick`, `cedar and 39 others`. */
function nameAll(names: readonly string[]): string {
  const [first = '', ...others] = names.map(shorten);
  return others.length <= 1
    ? joinWords([first, ...others])
    : `${first} and ${groupDigits(others.length)} others`;
}

/** A name from a record, perhaps of another machine, as short text that is valid in XML. */
function shorten(name: string): string {
  return shortenText(escapeControls(name), NAME_LENGTH);
}

/** `0.8 s`, `42 s`, `3.1 min`, `2.5 h`. */
function formatDuration(seconds: number): string {
  if (seconds >= 2 * 3600) return `${(seconds / 3600).toFixed(1)}\u00a0h`;
  if (seconds >= 120) return `${(seconds / 60).toFixed(1)}\u00a0min`;
  return `${seconds.toFixed(seconds < 9.95 ? 1 : 0)}\u00a0s`;
}

function tabulate(sessions: readonly TimelineSession[]): Figure['data'] {
  const columns =
    'instance,stage,session,session_started_at,start_s,duration_s,peak_memory_bytes,host,profile,total_s';
  const milliseconds = (seconds: number): number => Number(seconds.toFixed(3));
  return [
    columns.split(','),
    ...sessions.flatMap(({ startedAt, spans }, index) =>
      spans.map(({ id, stage, startSeconds, seconds, totalSeconds, peakMemoryBytes, host, profile }) => [
        ...[id, stage, index + 1, startedAt, milliseconds(startSeconds), milliseconds(seconds)],
        ...[peakMemoryBytes, host, profile, milliseconds(totalSeconds ?? seconds)],
      ]),
    ),
  ];
}

interface Bars {
  readonly title: string;
  readonly axisTitle: string;
  readonly width: number;
  /** Where the longest bar ends; the axis continues, to make room for labels. */
  readonly end: number;
  readonly bars: readonly {
    readonly id: string;
    readonly from: number;
    readonly to: number;
    readonly label: string;
  }[];
}

function drawBars({ title, axisTitle, width, end, bars }: Bars): Panel {
  const ids = bars.map(({ id }) => id);
  const left = Math.min(width / 2, 20 + 6.6 * Math.max(...ids.map(({ length }) => length)));
  const height = PADDING.top + PADDING.bottom + ids.length * ROW;
  const plotWidth = width - left - PADDING.right;
  const labelWidth = 10 + LABEL_CHARACTER * Math.max(...bars.map(({ label }) => label.length));
  const x = linearAxis('from', [0, end / (1 - Math.min(0.7, labelWidth / plotWidth))], {
    title: axisTitle,
    tickCount: width > 400 ? 7 : 4,
    // Thousands are separated by narrow spaces, as everywhere else.
    labelExpr: "replace(datum.label, ',', '\u202f')",
  });
  const y = bands('id', ids, [0.3, 0.15], { labelLimit: MEASURED_WIDE * (left - 8) });
  const data = { values: [...bars] };
  const spec: PanelSpec = {
    width: plotWidth,
    height: height - PADDING.top - PADDING.bottom,
    padding: { left, ...PADDING },
    autosize: 'none',
    title: { text: title, dx: -left + 4, limit: MEASURED_WIDE * (width - 8) },
    layer: [
      {
        data,
        mark: { type: 'bar', color: colorVariable('heat'), opacity: 0.85, minBandSize: 2 },
        encoding: { x, x2: { field: 'to' }, y },
      },
      {
        data,
        mark: { type: 'text', align: 'left', dx: 5, fontSize: 10.5, color: 'currentColor' },
        encoding: { x: { ...x, field: 'to' }, y, text: nominal('label') },
      },
    ],
  };
  return { title, spec, width, height };
}
