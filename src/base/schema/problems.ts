import { ReproError } from '../errors.ts';
import { compareCodeUnits } from '../files/canonical-json.ts';

/** A position in a YAML file; lines and columns count from 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A position in a file, or, for the command line, the argument itself (`--set train.epochs=x`). */
export type Place = SourcePosition | string;

/** `pipeline.yaml:14:9`, which terminals and editors make clickable. */
export function formatPlace(place: Place): string {
  return typeof place === 'string' ? place : `${place.file}:${place.line}:${place.column}`;
}

export interface Problem {
  readonly at: Place;
  readonly message: string;
  /** How to fix it; computed only for problems that are shown, since searching for the closest name is slow. */
  readonly fix?: string | undefined | (() => string | undefined);
}

/** More than a screenful would hide the first one, which often causes the others. */
const shownAtMost = 20;

/** All problems with the configuration, sorted by position; `code` is `configuration`. */
export class ConfigurationError extends ReproError {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly Problem[];

  constructor(found: readonly Problem[]) {
    const problems = sortProblems(found);
    const [only] = problems;
    if (problems.length === 1 && only !== undefined) {
      super('configuration', only.message, { where: formatPlace(only.at), fix: fixOf(only) });
    } else {
      super('configuration', describeProblems(problems));
    }
    this.problems = problems;
  }
}

/** Throws if there is anything to report. */
export function throwProblems(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new ConfigurationError(problems);
}

/** Sorted by position, without duplicates. */
function sortProblems(found: readonly Problem[]): Problem[] {
  const distinct = new Map(found.map((one) => [`${formatPlace(one.at)} ${one.message}`, one]));
  return [...distinct.values()].sort((a, b) => comparePlaces(a.at, b.at));
}

function describeProblems(problems: readonly Problem[]): string {
  const shown = problems.slice(0, shownAtMost).map((one) => {
    const fix = fixOf(one);
    const head = `${formatPlace(one.at)}  ${one.message}`;
    return fix === undefined ? head : `${head}\n  ${fix.split('\n').join('\n  ')}`;
  });
  const hidden = problems.length - shown.length;
  if (hidden > 0) shown.push(`… and ${hidden} more.`);
  return shown.join('\n');
}

function fixOf(problem: Problem): string | undefined {
  return typeof problem.fix === 'function' ? problem.fix() : problem.fix;
}

/** Arguments first, then by file (code unit order), line and column. */
function comparePlaces(a: Place, b: Place): number {
  if (typeof a === 'string' || typeof b === 'string') {
    if (typeof a === 'string' && typeof b === 'string') return compareCodeUnits(a, b);
    return typeof a === 'string' ? -1 : 1;
  }
  return compareCodeUnits(a.file, b.file) || a.line - b.line || a.column - b.column;
}
