import * as v from 'valibot';
import { ReproError } from '../base/errors.ts';
import { type AnyShape, checkShape, readJson, type Value } from '../base/files/shape.ts';
import { readCsv } from '../formats/csv.ts';

export const RESULTS_INVALID = 'results-invalid';

/** A text file that a stage left. */
export interface ResultFile {
  /** Its name in messages. */
  readonly file: string;
  readonly text: string;
  /** How to make it again, a sentence. */
  readonly fix: string;
  /** Of errors; by default `results-invalid`. */
  readonly code?: string;
}

/** @param instance of the stage that makes the file: `train@baseline,2020` */
export function fixOf(instance: string): string {
  return `Make the file again: \`./repro run ${instance} --force\`.`;
}

export function refuse(
  { file, fix, code = RESULTS_INVALID }: Omit<ResultFile, 'text'>,
  problem: string,
): never {
  throw new ReproError(code, problem, { where: file, fix });
}

/** Engines compute in single precision, which has seven digits: files keep no more. */
export function toSevenDigits(value: number): number {
  return Number(value.toPrecision(7));
}

/** The JSON of results, for people too. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** @throws {ReproError} `results-invalid`, or the file's code, naming the first field that does not fit; also if it is of another version */
export function readResult<S extends AnyShape>(
  { text, code = RESULTS_INVALID, ...from }: ResultFile,
  shape: S,
  version = 1,
): Value<S> {
  const file = { ...from, code };
  const value = readJson(v.looseObject({ version: v.literal(version) }), text, file);
  return checkShape(shape, value, file);
}

/** A row of a CSV file. */
export interface ResultRow {
  text(column: string): string;
  /** NaN and infinities are numbers, too. */
  number(column: string): number;
  /** A whole number from 0. */
  count(column: string): number;
  /** null if the cell is empty. */
  optional(column: string): number | null;
  /** Fails naming the line and the column. */
  refuse(column: string, problem: string): never;
}

/** @throws {ReproError} `results-invalid` naming the line and the column; also if one of `columns` is missing */
export function parseTable(
  from: ResultFile,
  columns: readonly string[],
): { readonly columns: ReadonlySet<string>; readonly rows: readonly ResultRow[] } {
  const { names, rows, placeOf } = readCsv(from.text, (problem, { line }) =>
    refuse(from, `line ${line}: ${problem}`),
  );
  const places = new Map(names.map((name, place) => [name, place]));
  const found = new Set(names);
  requireColumns(from, found, columns);
  return { columns: found, rows: rows.map((row) => readRow(from, row, places, () => placeOf(row, 0).line)) };
}

export function requireColumns(
  from: ResultFile,
  found: ReadonlySet<string>,
  columns: readonly string[],
): void {
  const missing = columns.find((column) => !found.has(column));
  if (missing !== undefined) refuse(from, `column "${missing}" is missing`);
}

function readRow(
  from: ResultFile,
  row: readonly string[],
  places: ReadonlyMap<string, number>,
  lineOf: () => number,
): ResultRow {
  const text = (column: string): string => row[places.get(column) ?? -1] ?? '';
  const fail = (column: string, problem: string): never =>
    refuse(from, `line ${lineOf()}, column "${column}": ${problem}`);
  const number = (column: string): number => {
    const cell = text(column);
    const value = cell.trim() === '' ? Number.NaN : Number(cell);
    if (Number.isNaN(value) && cell !== 'NaN') fail(column, `expected a number, found "${cell}"`);
    return value;
  };
  const count = (column: string): number =>
    /^\d+$/.test(text(column))
      ? Number(text(column))
      : fail(column, `expected a whole number, found "${text(column)}"`);
  const optional = (column: string): number | null => (text(column) === '' ? null : number(column));
  return { text, number, count, optional, refuse: fail };
}
