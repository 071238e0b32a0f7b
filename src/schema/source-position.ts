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

/** Arguments first, then by file (code unit order), line and column. */
export function comparePlaces(a: Place, b: Place): number {
  if (typeof a === 'string' || typeof b === 'string') {
    if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
    return typeof a === 'string' ? -1 : 1;
  }
  return compareText(a.file, b.file) || a.line - b.line || a.column - b.column;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
