import { ReproError } from '../../base/errors.ts';

/** One row of a recording's labels: a gesture and when it was made. */
export interface Label {
  /** As in the file, from 1. */
  readonly class: number;
  /** The clip contains the events with `startUs <= t < endUs`. */
  readonly startUs: number;
  readonly endUs: number;
}

const HEADER = ['class', 'startTime_usec', 'endTime_usec'] as const;

/**
 * Reads `class,startTime_usec,endTime_usec` and one row per gesture. Blank lines are skipped, as in the original.
 *
 * @param options.file name for messages
 * @param options.classes classes run from 1 to this
 * @returns the labels in file order, and a sentence for each row that starts before the one above it ends
 * @throws {ReproError} `labels` with file, line and column for a wrong header, a missing or extra field,
 *   a field that is not a whole number, an unknown class, or an end that is not after its start
 */
export function parseLabels(
  text: string,
  options: { readonly file: string; readonly classes: number },
): { readonly labels: readonly Label[]; readonly warnings: readonly string[] } {
  const rows = text.split(/\r\n?|\n/).map((line) => line.split(','));
  const header = rows[0] ?? [];
  if (header.length !== HEADER.length || HEADER.some((name, column) => header[column] !== name)) {
    const text = `the first line must be \`${HEADER.join(',')}\`, not \`${header.join(',')}\`.`;
    const fix = 'Download the file again; a spreadsheet may have rewritten it.';
    throw new ReproError('labels', text, { where: `${options.file}:1:1`, fix });
  }
  const labels: Label[] = [];
  const warnings: string[] = [];
  for (const [index, fields] of rows.entries()) {
    if (index === 0 || (fields.length === 1 && fields[0] === '')) continue;
    const label = parseRow(fields, index + 1, options);
    const before = labels.at(-1);
    if (before !== undefined && label.startUs < before.endUs) {
      warnings.push(
        `${options.file}:${index + 1}  class ${label.class} starts at ${label.startUs} µs, before class ` +
          `${before.class} in the row above ends (${before.endUs} µs): the overlapping events are in both clips, or only in the earlier one with frames.overlaps: earlier.`,
      );
    }
    labels.push(label);
  }
  return { labels, warnings };
}

function parseRow(
  fields: readonly string[],
  line: number,
  { file, classes }: { readonly file: string; readonly classes: number },
): Label {
  const fail = (column: number, message: string): never => {
    const character = fields.slice(0, column).reduce((sum, field) => sum + field.length + 1, 1);
    throw new ReproError('labels', message, {
      where: `${file}:${line}:${character}`,
      fix: 'Download the file again, or correct this row.',
    });
  };
  if (fields.length !== HEADER.length) {
    const text = `a row must have ${HEADER.length} fields, not ${fields.length}.`;
    fail(Math.min(fields.length, HEADER.length), text);
  }
  const read = (column: 0 | 1 | 2): number => {
    const field = fields[column] ?? '';
    const value = /^\d+$/.test(field) ? Number(field) : Number.NaN;
    if (!Number.isSafeInteger(value))
      fail(column, `${HEADER[column]} must be a whole number, not ${JSON.stringify(field)}.`);
    return value;
  };
  const [label, startUs, endUs] = [read(0), read(1), read(2)];
  if (label < 1 || label > classes) fail(0, `class must be from 1 to ${classes}, not ${label}.`);
  if (endUs <= startUs)
    fail(2, `class ${label} must end after its start at ${startUs} µs, not at ${endUs} µs.`);
  return { class: label, startUs, endUs };
}

export function formatLabels(labels: readonly Label[]): string {
  const rows = labels.map((label) => `${label.class},${label.startUs},${label.endUs}\n`);
  return `${HEADER.join(',')}\n${rows.join('')}`;
}
