import { formatBytes } from '../format.ts';
import type { CsvValue, Figure, Panel, PanelSpec } from './figure.ts';
import { colorVariable, cycleColor } from './palette.ts';

/** When a stage ran, for how long, and with how much memory: a part of {@link TimelineRun}. */
export interface TimelineBar {
  readonly id: string;
  readonly stage: string;
  /** After the start of the run. */
  readonly startSeconds: number;
  readonly seconds: number;
  readonly peakMemoryBytes: number | null;
}

/** Stages that ran without a long pause between them. */
export interface TimelineRun {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly profiles: readonly string[];
  readonly bars: readonly TimelineBar[];
}

const ROW = 22;
const PADDING = { right: 16, top: 34, bottom: 40 };
const TIME_WIDTH = 560;
const MEMORY_WIDTH = 400;
/** Room for a label behind the longest bar. */
const LABEL_ROOM = 1.18;

const UNITS = [
  { seconds: 86_400, name: 'days' },
  { seconds: 3600, name: 'hours' },
  { seconds: 60, name: 'minutes' },
  { seconds: 1, name: 'seconds' },
] as const;

/** Time and memory of each stage, a pair of panels for each run: the first over time, the second by size. */
export function drawTimeline(runs: readonly TimelineRun[]): Figure {
  const stages = [...new Set(runs.flatMap(({ bars }) => bars.map(({ stage }) => stage)))];
  const colorOf = (stage: string): string => cycleColor(stages.indexOf(stage));
  const count = runs.reduce((sum, { bars }) => sum + bars.length, 0);
  return {
    id: 'timeline',
    title: 'Time and memory of each stage',
    caption: `The last successful run of each stage${runs.length > 1 ? ', in sessions without a pause of more than a minute' : ''}. Memory is the largest resident set.`,
    alt: `Bars of ${count} stages over time, and of their memory, in ${runs.length} ${runs.length === 1 ? 'session' : 'sessions'}.`,
    legend: stages.map((stage) => ({ label: stage, color: colorOf(stage), mark: 'square' })),
    columns: 2,
    panels: runs.flatMap((run) => [drawTimes(run, colorOf), drawMemory(run, colorOf)]),
    data: tabulate(runs),
  };
}

function drawTimes({ startedAt, profiles, bars }: TimelineRun, colorOf: (stage: string) => string): Panel {
  const end = Math.max(...bars.map(({ startSeconds, seconds }) => startSeconds + seconds), 0.1);
  const unit = UNITS.find(({ seconds }) => end >= 3 * seconds) ?? { seconds: 1, name: 'seconds' };
  return drawBars({
    title: `From ${startedAt.slice(0, 16).replace('T', ' ')} UTC, profile ${profiles.join(', ')}`,
    axisTitle: `${unit.name} since the first start`,
    width: TIME_WIDTH,
    end: (end * LABEL_ROOM) / unit.seconds,
    bars: bars.map(({ id, stage, startSeconds, seconds }) => ({
      id,
      color: colorVariable(colorOf(stage)),
      from: startSeconds / unit.seconds,
      to: (startSeconds + seconds) / unit.seconds,
      label: formatDuration(seconds),
    })),
  });
}

function drawMemory({ bars }: TimelineRun, colorOf: (stage: string) => string): Panel {
  const largest = Math.max(...bars.map(({ peakMemoryBytes }) => peakMemoryBytes ?? 0), 1);
  const unit = largest >= 2e9 ? { bytes: 1e9, name: 'GB' } : { bytes: 1e6, name: 'MB' };
  return drawBars({
    title: 'Memory',
    axisTitle: `peak, ${unit.name}`,
    width: MEMORY_WIDTH,
    end: (largest * 1.4) / unit.bytes,
    bars: bars.map(({ id, stage, peakMemoryBytes }) => ({
      id,
      color: colorVariable(colorOf(stage)),
      from: 0,
      to: (peakMemoryBytes ?? 0) / unit.bytes,
      label: peakMemoryBytes === null ? 'unknown' : formatBytes(peakMemoryBytes),
    })),
  });
}

interface Bars {
  readonly title: string;
  readonly axisTitle: string;
  readonly width: number;
  /** Where the axis ends. */
  readonly end: number;
  readonly bars: readonly {
    readonly id: string;
    readonly color: string;
    readonly from: number;
    readonly to: number;
    readonly label: string;
  }[];
}

function drawBars({ title, axisTitle, width, end, bars }: Bars): Panel {
  const ids = bars.map(({ id }) => id);
  const left = Math.min(width / 2, 20 + 6.6 * Math.max(...ids.map(({ length }) => length)));
  const height = PADDING.top + PADDING.bottom + ids.length * ROW;
  const x = {
    field: 'from',
    type: 'quantitative' as const,
    scale: { domain: [0, end], nice: false, zero: false },
    axis: { title: axisTitle, tickCount: width > 400 ? 7 : 4 },
  };
  const y = {
    field: 'id',
    type: 'nominal' as const,
    sort: null,
    scale: { domain: ids, paddingInner: 0.3, paddingOuter: 0.15 },
    // Without a browser, texts are measured half as wide again as they are.
    axis: { title: null, grid: false, labelLimit: 1.5 * (left - 8), minExtent: 0 },
  };
  const color = { field: 'color', type: 'nominal' as const, scale: null };
  const data = { values: [...bars] };
  const spec: PanelSpec = {
    width: width - left - PADDING.right,
    height: height - PADDING.top - PADDING.bottom,
    padding: { left, ...PADDING },
    autosize: 'none',
    title: { text: title, dx: -left + 4 },
    layer: [
      {
        data,
        mark: { type: 'bar', opacity: 0.85, minBandSize: 2 },
        encoding: { x, x2: { field: 'to' }, y, color },
      },
      {
        data,
        mark: { type: 'text', align: 'left', dx: 5, fontSize: 10.5, color: 'currentColor' },
        encoding: { x: { ...x, field: 'to' }, y, text: { field: 'label', type: 'nominal' } },
      },
    ],
  };
  return { title, spec, width, height };
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
    ['instance', 'stage', 'session', 'session_started_at', 'start_s', 'duration_s', 'peak_memory_bytes'],
  ];
  runs.forEach(({ startedAt, bars }, index) => {
    for (const { id, stage, startSeconds, seconds, peakMemoryBytes } of bars) {
      rows.push([
        id,
        stage,
        index + 1,
        startedAt,
        Number(startSeconds.toFixed(3)),
        Number(seconds.toFixed(3)),
        peakMemoryBytes,
      ]);
    }
  });
  return rows;
}
