import { csvParse } from 'd3-dsv';
import { ReproError } from '../../errors.ts';
import type { ScalarEvent } from '../../formats/tfevents.ts';

/** A logged value; the unit of its step depends on the tag. */
export interface LoggedPoint {
  readonly step: number;
  readonly value: number;
}

/** Points by tag, in ascending steps. */
export type LoggedCurves = ReadonlyMap<string, readonly LoggedPoint[]>;

/** The original's tags that the report reads; others are ignored. */
const TAG = /^(?:train_accuracy|train_loss|test_accuracy|val_accuracy|w(?:_std)?\d{1,2})$/;

const FIX = 'docs/tensorboard.md lists the forms of the authors’ logs that can be read.';

/**
 * Parses a log in CSV form: the columns tag, step and value, in any order and possibly among others. If a tag has the same step twice, as
 * after a resumed training, the last row counts. A value that is NaN or infinite is a gap.
 *
 * @param file name for errors
 * @throws {ReproError} `report-input` with the line, if a column is missing or a cell is invalid
 */
export function parseReferenceCsv(text: string, file: string): LoggedCurves {
  const collected = new Map<string, Map<number, number>>();
  for (const row of readRows(text, file, ['tag', 'step', 'value'])) {
    const point = { tag: row.text('tag'), step: row.step('step'), value: row.number('value') };
    const problem = collect(collected, point);
    if (problem !== null) row.fail('value', problem);
  }
  return sortCurves(collected);
}

/** Parses a training loss as TensorBoard exports one curve: the columns `Wall time`, `Step` and `Value`. @throws {ReproError} as above */
export function parseLossCsv(text: string, file: string): ScalarEvent[] {
  return readRows(text, file, ['Wall time', 'Step', 'Value']).map((row) => ({
    tag: 'train_loss',
    step: row.step('Step'),
    value: row.number('Value'),
    wallTimeSeconds: row.number('Wall time'),
  }));
}

/** Fails with the line and the column. */
type Fail = (column: string, problem: string) => never;

interface Row {
  readonly text: (column: string) => string;
  /** NaN if it is NaN or infinite. */
  readonly number: (column: string) => number;
  readonly step: (column: string) => number;
  readonly fail: Fail;
}

/** The rows of a CSV file that must have these columns. */
function readRows(text: string, file: string, columns: readonly string[]): Row[] {
  const refuse = (problem: string): never => {
    throw new ReproError('report-input', problem, { where: file, fix: FIX });
  };
  // The parser would read the rest of the file as one cell.
  if (text.split('"').length % 2 === 0) refuse('a quote that begins a cell is never closed');
  const rows = csvParse(text);
  for (const column of columns) {
    if (!rows.columns.includes(column)) {
      const found = rows.columns.map((name) => `"${name}"`).join(', ');
      refuse(`line 1: column "${column}" is missing; found ${found}`);
    }
  }
  return rows.map((cells, index) => {
    const fail: Fail = (column, problem) => refuse(`line ${index + 2}, column "${column}": ${problem}`);
    const cell = (column: string) => cells[column] ?? '';
    return {
      fail,
      text: (column) => cell(column) || fail(column, `expected a ${column}, found nothing`),
      number: (column) => {
        const isGap = /^[+-]?(nan|inf(inity)?)$/i.test(cell(column));
        const number = isGap || cell(column).trim() === '' ? Number.NaN : Number(cell(column));
        if (!isGap && Number.isNaN(number)) fail(column, `expected a number, found "${cell(column)}"`);
        return number;
      },
      step: (column) => {
        const number = Number(cell(column));
        return /^\d+$/.test(cell(column)) && Number.isSafeInteger(number)
          ? number
          : fail(column, `expected a whole number of at least 0, found "${cell(column)}"`);
      },
    };
  });
}

/**
 * The curves of event files. If a tag has the same step twice, the later one by time counts.
 *
 * @throws {ReproError} `report-input` if an accuracy is not between 0 and 1
 */
export function collectReferenceEvents(
  files: readonly { readonly file: string; readonly scalars: readonly ScalarEvent[] }[],
): LoggedCurves {
  const collected = new Map<string, Map<number, number>>();
  files
    .flatMap(({ file, scalars }) => scalars.map((scalar) => ({ file, scalar })))
    // The sort is stable: points of the same second keep the order of the files.
    .sort((a, b) => a.scalar.wallTimeSeconds - b.scalar.wallTimeSeconds)
    .forEach(({ file, scalar }) => {
      const problem = collect(collected, scalar);
      if (problem !== null) {
        throw new ReproError('report-input', `${scalar.tag} at step ${scalar.step}: ${problem}`, {
          where: file,
          fix: FIX,
        });
      }
    });
  return sortCurves(collected);
}

/** @returns the problem with the point, or null */
function collect(
  collected: Map<string, Map<number, number>>,
  { tag, step, value }: { readonly tag: string; readonly step: number; readonly value: number },
): string | null {
  if (!TAG.test(tag)) return null;
  if (tag.endsWith('_accuracy') && (value < 0 || value > 1)) {
    return `expected an accuracy from 0 to 1, found ${value}`;
  }
  const points = collected.get(tag) ?? new Map<number, number>();
  points.set(step, value);
  collected.set(tag, points);
  return null;
}

function sortCurves(collected: ReadonlyMap<string, ReadonlyMap<number, number>>): LoggedCurves {
  return new Map(
    [...collected].map(([tag, points]) => [
      tag,
      [...points]
        .filter(([, value]) => Number.isFinite(value))
        .map(([step, value]) => ({ step, value }))
        .sort((a, b) => a.step - b.step),
    ]),
  );
}
