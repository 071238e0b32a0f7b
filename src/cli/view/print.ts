import process from 'node:process';
import { colorsFor } from './colors.ts';
import { toLines } from './safe-text.ts';

/** Prints the document of `--json`. */
export function printJson(document: object): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

/** Prints `topic  text` lines to stdout, with the texts aligned. */
export function printLines(lines: readonly (readonly [topic: string, text: string])[]): void {
  const width = Math.max(0, ...lines.map(([topic]) => topic.length));
  for (const [topic, text] of lines) process.stdout.write(`${topic.padEnd(width)}  ${text}\n`);
}

/** Prints a warning to stderr. It may quote names of files and values, which may contain anything. */
export function printWarning(text: string): void {
  process.stderr.write(`${colorsFor(process.stderr).yellow('!')} ${toLines(text).join('\n')}\n`);
}
