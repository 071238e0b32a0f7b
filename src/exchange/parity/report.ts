import { escapeControls, formatCount, shortenText } from '../../base/text.ts';
import type { Comparison } from './compare.ts';
import type { CaseOutcome } from './suite.ts';

function countTotals(outcomes: readonly CaseOutcome[]) {
  const comparisons = outcomes.flatMap((outcome) => outcome.comparisons);
  return {
    cases: outcomes.length,
    failedCases: outcomes.filter(({ passed }) => !passed).length,
    comparisons: comparisons.length,
    failedComparisons: comparisons.filter(({ passed }) => !passed).length,
    values: comparisons.reduce((sum, { values }) => sum + values, 0),
  };
}

/** Whether all cases passed and at least one value was compared. */
export function hasPassed(outcomes: readonly CaseOutcome[]): boolean {
  return countTotals(outcomes).values > 0 && outcomes.every(({ passed }) => passed);
}

/** For the document of `repro parity --json`; numbers that JSON cannot represent are strings: "NaN", "Infinity". */
export function describeOutcomes(outcomes: readonly CaseOutcome[]): object {
  return {
    passed: hasPassed(outcomes),
    totals: countTotals(outcomes),
    cases: outcomes.map(({ name, kind, passed, comparisons }) => ({
      name,
      kind,
      passed,
      comparisons: comparisons.map(describeComparison),
    })),
  };
}

/** JSON would write these numbers as null. */
function describeComparison(comparison: Comparison): object {
  return JSON.parse(
    JSON.stringify(comparison, (_, value: unknown) =>
      typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
    ),
  );
}

/** How to mark results: colours on a terminal. */
type TableMarks = Readonly<Record<'pass' | 'fail', (text: string) => string>>;

/** Longer names are cut. */
const longestName = 60;

const header = ['case', 'compared', 'values', 'abs. error', 'rel. error', 'of tolerance'];
/** Columns of numbers, aligned to the right. */
const numeric = new Set([2, 3, 4, 5]);

/** The table of a run: one line per comparison, followed by the reason if it failed. */
export function formatTable(outcomes: readonly CaseOutcome[], marks: TableMarks): string {
  const rows = outcomes.flatMap(({ name, comparisons }) =>
    comparisons.map((comparison) => ({ cells: formatRow(name, comparison), comparison })),
  );
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  const align = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        numeric.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ');
  const lines = rows.flatMap(({ cells, comparison }) => {
    const result = comparison.passed ? marks.pass('pass') : marks.fail('FAIL');
    const reasons = explainFailure(comparison).map((text) => `    ${escapeControls(text)}`);
    return [`${align(cells)}  ${result}`, ...reasons];
  });
  return `${[`${align(header)}  result`, ...lines].join('\n')}\n`;
}

/** The last line: how much was compared, and the result. */
export function formatTotals(outcomes: readonly CaseOutcome[], marks: TableMarks): string {
  const { cases, comparisons, values, failedCases, failedComparisons } = countTotals(outcomes);
  const compared = `${formatCount(cases, 'case')}, ${formatCount(comparisons, 'comparison')}, ${formatCount(values, 'value')}`;
  if (hasPassed(outcomes)) return `${compared}: ${marks.pass('all pass')}\n`;
  const failure =
    failedCases === 0
      ? 'FAILED, as nothing was compared'
      : `${formatCount(failedCases, 'case')} FAILED, in ${formatCount(failedComparisons, 'comparison')}`;
  return `${compared}: ${marks.fail(failure)}\n`;
}

function formatRow(name: string, comparison: Comparison): string[] {
  const { what, values, largestAbsoluteError, largestRelativeError, ofTolerance, worst } = comparison;
  const names = [shorten(name), shorten(what)];
  if (ofTolerance === null) return [...names, '', '', '', ''];
  return [
    ...names,
    values.toLocaleString('en'),
    formatError(largestAbsoluteError),
    formatError(largestRelativeError),
    worst?.tolerance === 0 ? 'exact' : String(Number(ofTolerance.toPrecision(2))),
  ];
}

/** Names come from the folder: made safe to print, and not so long that they push the numbers out of sight. */
function shorten(name: string): string {
  return escapeControls(shortenText(name, longestName));
}

function explainFailure({ passed, reason, worst, largestAbsoluteError }: Comparison): string[] {
  if (passed) return [];
  const lines = reason === null ? [] : [reason];
  if (worst !== null && largestAbsoluteError > 0) {
    const place = `${worst.tensor}[${worst.index.join(', ')}]`;
    lines.push(
      `worst: ${place}: the folder has ${worst.expected}, this program computes ${worst.found}, ${formatError(worst.tolerance)} is allowed`,
    );
  }
  return lines;
}

function formatError(error: number): string {
  if (error === 0) return '0';
  return Number.isFinite(error) ? error.toExponential(1) : 'infinite';
}
