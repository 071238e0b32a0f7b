import type { EngineDescription } from '../engines/engine.ts';
import type { Comparison } from './compare.ts';
import type { CaseOutcome } from './suite.ts';
import { tolerances } from './tolerances.ts';

/** A run of the suite. */
export interface ParityRun {
  /** As given on the command line. */
  readonly folder: string;
  /** The engine's name on the command line: `auto`, `tfjs-composed`. */
  readonly choice: string;
  readonly engine: EngineDescription;
  readonly outcomes: readonly CaseOutcome[];
  /** Tensor files that belong to no case. */
  readonly strayFiles: readonly string[];
}

export interface ParityTotals {
  readonly cases: number;
  readonly failedCases: number;
  readonly comparisons: number;
  readonly failedComparisons: number;
  readonly values: number;
}

export function countTotals(outcomes: readonly CaseOutcome[]): ParityTotals {
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

/** The document of `repro parity --json`; numbers that JSON cannot represent are strings: "NaN", "Infinity". */
export function describeRun({ folder, choice, engine, outcomes, strayFiles }: ParityRun): object {
  return {
    version: 1,
    command: 'parity',
    folder,
    engine: { choice, ...engine },
    passed: hasPassed(outcomes),
    totals: countTotals(outcomes),
    cases: outcomes.map(({ name, kind, passed, comparisons }) => ({
      name,
      kind,
      passed,
      comparisons: comparisons.map(describeComparison),
    })),
    strayFiles,
    tolerances,
  };
}

function describeComparison(comparison: Comparison): object {
  const { worst } = comparison;
  return {
    ...comparison,
    largestAbsoluteError: describeNumber(comparison.largestAbsoluteError),
    largestRelativeError: describeNumber(comparison.largestRelativeError),
    worst:
      worst === null
        ? null
        : { ...worst, expected: describeNumber(worst.expected), found: describeNumber(worst.found) },
  };
}

function describeNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
