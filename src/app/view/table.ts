// In a file of its own: a run that has nothing to do loads no package.
import stringWidth from 'string-width';
import { toOneLine } from './print.ts';

/** Rows as aligned lines that are safe to print. */
export function alignTable(
  table: readonly (readonly string[])[],
  { numbers = false }: { readonly numbers?: boolean } = {},
): string[] {
  const rows = table.map((row) => row.map(toOneLine));
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => stringWidth(row[column] ?? ''))),
  );
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const fill = ' '.repeat(Math.max(0, (widths[column] ?? 0) - stringWidth(cell)));
      return column > 0 && numbers ? `${fill}${cell}` : `${cell}${fill}`;
    });
    return cells.join('  ').trimEnd();
  });
}
