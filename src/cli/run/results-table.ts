import type { MatrixValue, Plan } from '../../runner/plan/plan.ts';
import { describeConfiguration } from '../../runner/store/records.ts';
import type { MetricValue } from '../../stage/define-stage.ts';
import { wilsonInterval } from '../../stats/proportions.ts';
import { formatPercent } from '../../text.ts';
import { formatSeconds } from '../view/format.ts';
import type { RunState } from '../view/run-state.ts';
import { toOneLine } from '../view/safe-text.ts';

/** Of hundreds of seeds, a terminal keeps these in view. */
const rowsAtMost = 40;

/** What the stages of one combination of matrix values measured. */
interface Row {
  readonly matrix: Readonly<Record<string, MatrixValue>>;
  readonly metrics: Record<string, MetricValue>;
  seconds: number;
}

/**
 * The end of a run: for each combination of matrix values (a model and a seed, say) whose stages report a metric `testAccuracy`, that
 * accuracy, its interval over `testClips` clips, the epoch it was measured at (`bestEpoch`), and how long these stages took.
 *
 * @param columns of the terminal: where the table is wider, it does without the intervals
 */
export function tabulateResults(
  plan: Plan,
  state: RunState,
  columns: number = Number.POSITIVE_INFINITY,
): string[] {
  const rows = [...collectRows(plan, state)].filter(
    ({ metrics }) => typeof metrics.testAccuracy === 'number',
  );
  const [first] = rows;
  if (first === undefined) return [];
  const names = Object.keys(first.matrix);
  const cells = [
    [...names, 'test accuracy', '95 % interval', 'epoch', 'time'],
    ...rows.map(({ matrix, metrics, seconds }) => [
      ...names.map((name) => toOneLine(String(matrix[name] ?? ''))),
      formatShare(metrics.testAccuracy),
      describeInterval(metrics),
      typeof metrics.bestEpoch === 'number' ? String(metrics.bestEpoch) : '',
      formatSeconds(seconds),
    ]),
  ];
  const whole = alignRows(cells, names.length);
  const withoutIntervals = () => cells.map((row) => row.toSpliced(names.length + 1, 1));
  const hasIntervals = rows.some(({ metrics }) => describeInterval(metrics) !== '');
  const isTooWide = whole.some(({ length }) => length > columns);
  const lines = isTooWide || !hasIntervals ? alignRows(withoutIntervals(), names.length) : whole;
  const more = rows.length - rowsAtMost;
  const { profile, trial } = plan;
  return [
    '',
    `results of ${toOneLine(describeConfiguration({ profile, ...trial }))}:`,
    ...lines.slice(0, rowsAtMost + 1),
    ...(more > 0 ? [`  and ${more} more: \`./repro metrics\` shows them all`] : []),
  ];
}

/** @param left how many columns of text come first; the others are numbers. A run with nothing to do has no time to load a library for it */
function alignRows(rows: readonly (readonly string[])[], left: number): string[] {
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0))) ?? [];
  const align = (cell: string, at: number): string =>
    at < left ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0);
  return rows.map((row) => `  ${row.map(align).join('  ')}`.trimEnd());
}

function collectRows(plan: Plan, state: RunState): Iterable<Row> {
  const rows = new Map<string, Row>();
  for (const { id, matrix } of plan.instances.values()) {
    const shown = state.instances.get(id);
    if (shown?.madeInSeconds == null || Object.keys(matrix).length === 0) continue;
    const key = JSON.stringify(matrix);
    const row = rows.get(key) ?? { matrix, metrics: {}, seconds: 0 };
    rows.set(key, row);
    Object.assign(row.metrics, shown.metrics);
    row.seconds += shown.madeInSeconds;
  }
  return rows.values();
}

function describeInterval({ testAccuracy, testClips }: Row['metrics']): string {
  if (!isShare(testAccuracy) || typeof testClips !== 'number' || !(testClips > 0)) return '';
  const { low, high } = wilsonInterval(testAccuracy * testClips, testClips);
  return `${formatPercent(low).replace(' %', '')} to ${formatPercent(high)}`;
}

function formatShare(value: MetricValue | undefined): string {
  return isShare(value) ? formatPercent(value) : String(value);
}

function isShare(value: MetricValue | undefined): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}
