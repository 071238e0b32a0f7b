import process from 'node:process';

/** Prints `topic  text` lines to stdout, the texts below each other. */
export function printLines(lines: readonly (readonly [topic: string, text: string])[]): void {
  const width = Math.max(0, ...lines.map(([topic]) => topic.length));
  for (const [topic, text] of lines) process.stdout.write(`${topic.padEnd(width)}  ${text}\n`);
}
