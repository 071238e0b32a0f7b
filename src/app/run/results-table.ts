import { formatPercent } from '../../base/text.ts';
import type { MatrixValue, Plan } from '../../runner/plan/plan.ts';
import { withDependencies } from '../../runner/plan/selection.ts';
import type { MetricValue } from '../../runner/stage/define-stage.ts';
import { describeConfiguration } from '../../runner/store/records.ts';
import { wilsonInterval } from '../../verdicts/stats/proportions.ts';
import { formatSeconds } from '../view/format.ts';
import { toOneLine } from '../view/print.ts';

type Metrics = Readonly<Record<string, MetricValue>>;

/** What an instance measured, and how long it took to make its outputs, in this run or an earlier one. */
interface MadeResult {
  readonly metrics: Metrics;
  readonly madeInSeconds: number | null;
}

/** What one combination of matrix values measured, such as a model and a seed. */
interface ResultRow {
  readonly matrix: Readonly<Record<string, MatrixValue>>;
  readonly metrics: Record<string, MetricValue>;
  /** That its stages took. */
  seconds: number;
}

/**
 * The table at the end of a run. A row for each combination of matrix values (such as a model and a seed) whose stages report
 * `testAccuracy`: the accuracy, its interval, its epoch, and how long these stages and those behind them took.
 *
 * @param results by instance
 */
export function tabulateResults(
  plan: Pick<Plan, 'instances' | 'dependencies' | 'profile' | 'trial'>,
  results: ReadonlyMap<string, MadeResult>,
): string[] {
  const rows = collectResults(plan, results);
  const [first] = rows;
  if (first === undefined) return [];
  const names = Object.keys(first.matrix);
  const cells = [
    [...names, 'test accuracy', '95 % interval', 'epoch', 'time'],
    ...rows.map(({ matrix, metrics, seconds }) => [
      ...names.map((name) => toOneLine(String(matrix[name] ?? ''))),
      isShare(metrics.testAccuracy) ? formatPercent(metrics.testAccuracy) : String(metrics.testAccuracy),
      describeInterval(metrics),
      typeof metrics.bestEpoch === 'number' ? String(metrics.bestEpoch) : '',
      formatSeconds(seconds),
    ]),
  ];
  const hasIntervals = rows.some(({ metrics }) => describeInterval(metrics) !== '');
  const shown = hasIntervals ? cells : cells.map((row) => row.toSpliced(names.length + 1, 1));
  const { profile, trial } = plan;
  return [
    '',
    `results of ${toOneLine(describeConfiguration({ profile, ...trial }))}:`,
    ...alignRows(shown, names.length),
  ];
}

function collectResults(
  plan: Pick<Plan, 'instances' | 'dependencies'>,
  results: ReadonlyMap<string, MadeResult>,
): ResultRow[] {
  const rows = new Map<string, ResultRow>();
  // Stages that nothing measured depends on say nothing of the accuracy, and take time for something else.
  const measured = [...results].filter(([, { metrics }]) => metrics.testAccuracy !== undefined);
  const behind = withDependencies(
    plan,
    measured.map(([id]) => id),
  );
  for (const { id, matrix } of plan.instances.values()) {
    const result = results.get(id);
    if (!behind.has(id) || result?.madeInSeconds == null || Object.keys(matrix).length === 0) continue;
    const key = JSON.stringify(matrix);
    const row: ResultRow = rows.get(key) ?? { matrix, metrics: {}, seconds: 0 };
    rows.set(key, row);
    Object.assign(row.metrics, result.metrics);
    row.seconds += result.madeInSeconds;
  }
  return [...rows.values()].filter(({ metrics }) => typeof metrics.testAccuracy === 'number');
}

function describeInterval({ testAccuracy, testClips }: Metrics): string {
  if (!isShare(testAccuracy) || typeof testClips !== 'number' || !(testClips > 0)) return '';
  const { low, high } = wilsonInterval(testAccuracy * testClips, testClips);
  return `${formatPercent(low).replace(' %', '')} to ${formatPercent(high)}`;
}

function isShare(value: MetricValue | undefined): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

/** @param left how many columns of text come first; the others are numbers. A run with nothing to do has no time to load a library for it */
function alignRows(rows: readonly (readonly string[])[], left: number): string[] {
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0))) ?? [];
  const align = (cell: string, at: number): string =>
    at < left ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0);
  return rows.map((row) => `  ${row.map(align).join('  ')}`.trimEnd());
}
