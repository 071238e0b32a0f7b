import { formatPercent } from '../../base/text.ts';
import { wilsonInterval } from '../../results/stats/proportions.ts';
import type { MatrixValue, Plan } from '../../runner/plan/plan.ts';
import { withDependencies } from '../../runner/plan/selection.ts';
import type { MetricValue } from '../../runner/stage/define-stage.ts';

type Metrics = Readonly<Record<string, MetricValue>>;

/** What an instance measured, and how long it took to make its outputs, in this run or an earlier one. */
interface MadeResult {
  readonly metrics: Metrics;
  readonly madeInSeconds: number | null;
}

/** The accuracy of one combination of matrix values, such as a model and a seed, in words. */
interface AccuracyRow {
  readonly matrix: Readonly<Record<string, MatrixValue>>;
  readonly accuracy: string;
  /** Over `testClips` clips; empty if unknown. */
  readonly interval: string;
  /** At which it was measured; empty if unknown. */
  readonly epoch: string;
  /** That its stages took. */
  readonly seconds: number;
}

/**
 * A row for each combination of matrix values whose stages report a metric `testAccuracy`, with what these stages and those behind them took.
 *
 * @param results by instance
 */
export function collectAccuracies(
  plan: Pick<Plan, 'instances' | 'dependencies'>,
  results: ReadonlyMap<string, MadeResult>,
): AccuracyRow[] {
  const rows = new Map<
    string,
    { matrix: AccuracyRow['matrix']; metrics: Record<string, MetricValue>; seconds: number }
  >();
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
    const row = rows.get(key) ?? { matrix, metrics: {}, seconds: 0 };
    rows.set(key, row);
    Object.assign(row.metrics, result.metrics);
    row.seconds += result.madeInSeconds;
  }
  return [...rows.values()]
    .filter(({ metrics }) => typeof metrics.testAccuracy === 'number')
    .map(({ matrix, metrics, seconds }) => ({
      matrix,
      accuracy: formatShare(metrics.testAccuracy),
      interval: describeInterval(metrics),
      epoch: typeof metrics.bestEpoch === 'number' ? String(metrics.bestEpoch) : '',
      seconds,
    }));
}

function describeInterval({ testAccuracy, testClips }: Metrics): string {
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
