import Papa from 'papaparse';
import { quoteName } from '../base/text.ts';

/**
 * Reads a table with commas, quotes as in RFC 4180 and line ends of any system. The first row names the columns, each name once; the others have as
 * many cells. Blank lines are skipped.
 *
 * @param refuse fails for what is wrong at a place, whose line and column count from 1; `fix` if it is known here how to mend it
 */
export function readCsv(
  text: string,
  refuse: (problem: string, place: { line: number; column: number }, fix?: string) => never,
) {
  const plain = text.replace(/^\ufeff/, '').replace(/\r\n?/g, '\n');
  const placeAt = (offset: number) => {
    const lines = plain.slice(0, offset).split('\n');
    return { line: lines.length, column: lines.at(-1)!.length + 1 };
  };
  const { data, errors } = Papa.parse<string[]>(plain, { delimiter: ',', newline: '\n' });
  if (errors[0]?.index !== undefined) {
    const fix = 'Close the quote. Inside a quoted cell, a quote is written twice: "5"" screen".';
    refuse('this cell starts with a quote and does not end with one.', placeAt(errors[0].index - 1), fix);
  }
  const skip = (at: number, cell: string) =>
    at + 1 + (plain[at] === '"' ? cell.replaceAll('"', '""').length + 2 : cell.length);
  const placeOf = (row: string[], cell: number) =>
    placeAt([...data.slice(0, data.indexOf(row)).flat(), ...row.slice(0, cell)].reduce(skip, 0));
  const [names = [''], ...rows] = data.filter(([first, ...others]) => others.length > 0 || first?.trim());
  const known = names.map((name) => name.trim().toLowerCase());
  const twice = known.findIndex((name, index) => known.indexOf(name) < index);
  if (twice >= 0) refuse(`two columns are called ${quoteName(known[twice]!)}.`, placeOf(names, twice));
  const uneven = rows.find((row) => row.length !== names.length);
  if (uneven !== undefined) {
    const problem = `expected ${names.length} cells, as in the first row, found ${uneven.length}.`;
    const fix = 'Put a cell with a comma in quotes: "x,1". Write decimals with a point: 0.95.';
    refuse(problem, placeOf(uneven, Math.min(uneven.length - 1, names.length)), fix);
  }
  return { names, rows, placeOf };
}

export type CsvValue = string | number | null;

/** A table with a final newline; null becomes an empty cell. */
export function formatCsv(rows: readonly (readonly CsvValue[])[]): string {
  return `${Papa.unparse([...rows], { newline: '\n' })}\n`;
}
