import { collectAccuracies } from '../../apps/accuracies.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { describeConfiguration } from '../../runner/store/records.ts';
import { formatSeconds } from '../view/format.ts';
import { toOneLine } from '../view/print.ts';
import type { RunState } from '../view/run-state.ts';

/**
 * The table at the end of a run. A row for each combination of matrix values (such as a model and a seed) whose stages report
 * `testAccuracy`: the accuracy, its interval, its epoch, and how long these stages took.
 */
export function tabulateResults(plan: Plan, state: RunState): string[] {
  const rows = collectAccuracies(plan, state.instances);
  const [first] = rows;
  if (first === undefined) return [];
  const names = Object.keys(first.matrix);
  const cells = [
    [...names, 'test accuracy', '95 % interval', 'epoch', 'time'],
    ...rows.map(({ matrix, accuracy, interval, epoch, seconds }) => [
      ...names.map((name) => toOneLine(String(matrix[name] ?? ''))),
      accuracy,
      interval,
      epoch,
      formatSeconds(seconds),
    ]),
  ];
  const hasIntervals = rows.some(({ interval }) => interval !== '');
  const shown = hasIntervals ? cells : cells.map((row) => row.toSpliced(names.length + 1, 1));
  const { profile, trial } = plan;
  return [
    '',
    `results of ${toOneLine(describeConfiguration({ profile, ...trial }))}:`,
    ...alignRows(shown, names.length),
  ];
}

/** @param left how many columns of text come first; the others are numbers. A run with nothing to do has no time to load a library for it */
function alignRows(rows: readonly (readonly string[])[], left: number): string[] {
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0))) ?? [];
  const align = (cell: string, at: number): string =>
    at < left ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0);
  return rows.map((row) => `  ${row.map(align).join('  ')}`.trimEnd());
}
