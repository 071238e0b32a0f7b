import process from 'node:process';
import { colorsFor } from './view/colors.ts';

/** Prints `topic  text` lines to stdout, with the texts aligned. */
export function printLines(lines: readonly (readonly [topic: string, text: string])[]): void {
  const width = Math.max(0, ...lines.map(([topic]) => topic.length));
  for (const [topic, text] of lines) process.stdout.write(`${topic.padEnd(width)}  ${text}\n`);
}

/** Prints a warning to stderr. */
export function printWarning(text: string): void {
  process.stderr.write(`${colorsFor(process.stderr).yellow('!')} ${text}\n`);
}
