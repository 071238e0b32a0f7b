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
  for (const { line, cells, fail } of readRows(text, file, ['tag', 'step', 'value'])) {
    const { tag = '' } = cells;
    if (tag === '') fail(`${line}, column "tag": expected a tag, found nothing`);
    const problem = collect(collected, {
      tag,
      ...readPoint(cells, { step: 'step', value: 'value' }, line, fail),
    });
    if (problem !== null) fail(`${line}, column "value": ${problem}`);
  }
  return sortCurves(collected);
}

/**
 * Parses a training loss as TensorBoard exports one curve: the columns `Wall time`, `Step` and `Value`.
 *
 * @throws {ReproError} `report-input` with the line
 */
export function parseLossCsv(text: string, file: string): ScalarEvent[] {
  return readRows(text, file, ['Wall time', 'Step', 'Value']).map(({ line, cells, fail }) => {
    const { step, value } = readPoint(cells, { step: 'Step', value: 'Value' }, line, fail);
    const wallTimeSeconds = readNumber(cells, 'Wall time', line, fail);
    return { tag: 'train_loss', step, value, wallTimeSeconds };
  });
}

type Cells = Readonly<Record<string, string | undefined>>;
type Fail = (problem: string) => never;

/** The rows of a CSV file that must have these columns; `line` names a row in errors. */
function readRows(text: string, file: string, columns: readonly string[]) {
  const fail: Fail = (problem) => {
    throw new ReproError('report-input', problem, { where: file, fix: FIX });
  };
  const open = findOpenQuote(text);
  if (open !== null) fail(`line ${open}: the quote that begins a cell here is never closed`);
  const rows = csvParse(text);
  for (const column of columns) {
    if (!rows.columns.includes(column)) {
      fail(
        `line 1: column "${column}" is missing; found ${rows.columns.map((name) => `"${name}"`).join(', ')}`,
      );
    }
  }
  return rows.map((cells: Cells, index) => ({ line: `line ${index + 2}`, cells, fail }));
}

function readPoint(
  cells: Cells,
  columns: Readonly<Record<'step' | 'value', string>>,
  line: string,
  fail: Fail,
) {
  const step = cells[columns.step] ?? '';
  if (!/^\d+$/.test(step) || !Number.isSafeInteger(Number(step))) {
    fail(`${line}, column "${columns.step}": expected a whole number of at least 0, found "${step}"`);
  }
  return { step: Number(step), value: readNumber(cells, columns.value, line, fail) };
}

/** NaN if it is NaN or infinite. */
function readNumber(cells: Cells, column: string, line: string, fail: Fail): number {
  const text = cells[column] ?? '';
  const number = /^[+-]?(nan|inf(inity)?)$/i.test(text) ? Number.NaN : Number(text);
  if (text.trim() === '' || (Number.isNaN(number) && !/nan|inf/i.test(text))) {
    fail(`${line}, column "${column}": expected a number, found "${text}"`);
  }
  return number;
}

/** The line, from 1, of a quote that begins a cell and is never closed: the parser would read the rest of the file as that cell. */
function findOpenQuote(text: string): number | null {
  let line = 1;
  let openedIn = 0;
  let isOpen = false;
  let closedAt = -2;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\n') line += 1;
    if (text[at] !== '"') continue;
    if (isOpen) {
      isOpen = false;
      closedAt = at;
    } else if (closedAt === at - 1) {
      isOpen = true; // inside a quoted cell, two quotes stand for one
    } else if (at === 0 || /[,\r\n]/.test(text[at - 1]!)) {
      isOpen = true;
      openedIn = line;
    }
  }
  return isOpen ? openedIn : null;
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
