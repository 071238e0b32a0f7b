import { readFileSync, writeFileSync } from 'node:fs';

/** Replaces the rows of the table in a page whose first column has this heading. */
export function writeTable(file: string, heading: string, rows: readonly string[]): void {
  const page = readFileSync(file, 'utf8');
  const head = new RegExp(`(?<=^\\| ${heading} \\|.*\\n\\|[- |:]*\\n)(?:\\|.*\\n)*`, 'm');
  if (!head.test(page)) throw new Error(`${file} has no table that begins with "| ${heading} |"`);
  writeFileSync(file, page.replace(head, rows.join('')));
}

/** `1.4` of 0.014. */
export function percent(share: number): string {
  return (100 * share).toFixed(1);
}
