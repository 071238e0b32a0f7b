import stringWidth from 'string-width';

/** Rows as aligned lines; the first column to the left, the others to a side. */
export function alignTable(rows: readonly (readonly string[])[], side: 'left' | 'right'): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => stringWidth(row[column] ?? ''))),
  );
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const fill = ' '.repeat(Math.max(0, (widths[column] ?? 0) - stringWidth(cell)));
      return column > 0 && side === 'right' ? `${fill}${cell}` : `${cell}${fill}`;
    });
    return `  ${cells.join('  ')}`.trimEnd();
  });
}
