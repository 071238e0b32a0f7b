import { formatBytes } from '../../text.ts';
import { formatCount, formatQuantity, joinWords } from '../data/format.ts';
import type { CsvValue, Figure, Panel } from '../drawing/figure.ts';
import { type ChosenBars, chooseBars } from './timeline-choice.ts';
import { drawBars, PADDING, ROW } from './timeline-panel.ts';

/** When a stage ran, where, for how long, and with how much memory: a part of {@link TimelineRun}. */
export interface TimelineBar {
  readonly id: string;
  readonly stage: string;
  /** After the start of the run. */
  readonly startSeconds: number;
  readonly seconds: number;
  /** With earlier executions that it went on from; null if there were none. */
  readonly totalSeconds: number | null;
  readonly peakMemoryBytes: number | null;
  readonly host: string;
  readonly profile: string;
  readonly configuration: string;
}

/** Stages that ran without a long pause between them. */
export interface TimelineRun {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly hosts: readonly string[];
  readonly profiles: readonly string[];
  readonly bars: readonly TimelineBar[];
}

export interface Timeline {
  readonly figure: Figure;
  /** What a reader of the drawing alone has to know: what it leaves out, and what never ran. */
  readonly notice: string | null;
}

const TIME_WIDTH = 560;
const MEMORY_WIDTH = 400;
/** Between the panels of one run and those of the next. */
const RUN_GAP = 24;
/** A longer name of a machine or a profile is cut off. */
const NAME_LENGTH = 24;

const UNITS = [
  { seconds: 86_400, name: 'days' },
  { seconds: 3600, name: 'hours' },
  { seconds: 60, name: 'minutes' },
  { seconds: 1, name: 'seconds' },
] as const;

/**
 * Time and memory of each stage, a pair of panels for each run: the first over time, the second by size.
 *
 * @param missing names of those that never succeeded
 */
export function drawTimeline(runs: readonly TimelineRun[], missing: readonly string[] = []): Timeline {
  const chosen = chooseBars(runs, { bar: ROW, run: PADDING.top + PADDING.bottom + RUN_GAP });
  const notice = [...describeOmitted(chosen), ...describeMissing(missing)].join(' ');
  const count = chosen.runs.length;
  const figure: Figure = {
    id: 'timeline',
    title: 'Time and memory: the last successful run of each stage',
    caption: `In sessions without a pause of more than a minute. Memory is the largest resident set.`,
    alt: `Bars of ${formatQuantity(chosen.shown, 'stage')} over time, and of their memory, in ${formatQuantity(count, 'session')}. ${notice}`.trim(),
    legend: [],
    columns: 2,
    panels: chosen.runs.flatMap((run) => [drawTimes(run), drawMemory(run)]),
    data: tabulate(runs),
  };
  return { figure, notice: notice === '' ? null : notice };
}

function describeOmitted({ shown, total }: ChosenBars): string[] {
  if (shown === total) return [];
  return [
    `${formatCount(shown)} of ${formatCount(total)} are drawn, those that took longest; the CSV has all.`,
  ];
}

function describeMissing(missing: readonly string[]): string[] {
  const [only] = missing;
  if (only === undefined) return [];
  return [
    missing.length === 1 ? `${only} never succeeded.` : `${formatCount(missing.length)} never succeeded.`,
  ];
}

function drawTimes({ startedAt, hosts, profiles, bars }: TimelineRun): Panel {
  const end = Math.max(...bars.map(({ startSeconds, seconds }) => startSeconds + seconds), 0.1);
  const unit = UNITS.find(({ seconds }) => end >= 3 * seconds) ?? { seconds: 1, name: 'seconds' };
  const start = startedAt.slice(0, 16).replace('T', ' ');
  return drawBars({
    title: `${start} UTC, profile ${nameAll(profiles)}, on ${nameAll(hosts)}`,
    axisTitle: `${unit.name} since the first start`,
    width: TIME_WIDTH,
    end: end / unit.seconds,
    bars: bars.map(({ id, startSeconds, seconds, totalSeconds, host, configuration }) => ({
      id,
      from: startSeconds / unit.seconds,
      to: (startSeconds + seconds) / unit.seconds,
      // Where they differ within a run, its title alone does not tell which bar is whose.
      label: [
        `${formatDuration(seconds)}${totalSeconds === null ? '' : ` of ${formatDuration(totalSeconds)}`}`,
        ...(profiles.length > 1 ? [shorten(configuration)] : []),
        ...(hosts.length > 1 ? [shorten(host)] : []),
      ].join(', '),
    })),
  });
}

function drawMemory({ bars }: TimelineRun): Panel {
  const largest = Math.max(...bars.map(({ peakMemoryBytes }) => peakMemoryBytes ?? 0), 1);
  const unit = largest >= 2e9 ? { bytes: 1e9, name: 'GB' } : { bytes: 1e6, name: 'MB' };
  return drawBars({
    title: 'Memory',
    axisTitle: `peak, ${unit.name}`,
    width: MEMORY_WIDTH,
    end: largest / unit.bytes,
    bars: bars.map(({ id, peakMemoryBytes }) => ({
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
    : `${first} and ${formatCount(others.length)} others`;
}

/** A name from a record, which may have come from elsewhere, as text that a drawing can hold. */
function shorten(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML allows no control characters
  const printable = name.replace(/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd');
  return printable.length <= NAME_LENGTH
    ? printable
    : `${[...printable].slice(0, NAME_LENGTH - 1).join('')}…`;
}

/** `0.8 s`, `42 s`, `3.1 min`, `2.5 h`. */
function formatDuration(seconds: number): string {
  if (seconds >= 2 * 3600) return `${(seconds / 3600).toFixed(1)}\u00a0h`;
  if (seconds >= 120) return `${(seconds / 60).toFixed(1)}\u00a0min`;
  return `${seconds.toFixed(seconds < 9.95 ? 1 : 0)}\u00a0s`;
}

/** One row per stage instance. */
function tabulate(runs: readonly TimelineRun[]): CsvValue[][] {
  const rows: CsvValue[][] = [
    [
      'instance',
      'stage',
      'session',
      'session_started_at',
      'start_s',
      'duration_s',
      'peak_memory_bytes',
      'host',
      'profile',
      'total_s',
    ],
  ];
  runs.forEach(({ startedAt, bars }, index) => {
    for (const { id, stage, startSeconds, seconds, totalSeconds, peakMemoryBytes, host, profile } of bars) {
      rows.push([
        id,
        stage,
        index + 1,
        startedAt,
        Number(startSeconds.toFixed(3)),
        Number(seconds.toFixed(3)),
        peakMemoryBytes,
        host,
        profile,
        Number((totalSeconds ?? seconds).toFixed(3)),
      ]);
    }
  });
  return rows;
}
