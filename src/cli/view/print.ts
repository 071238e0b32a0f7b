import process from 'node:process';
import pico from 'picocolors';
import { toLines } from './safe-text.ts';

export function printJson(document: object): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

/** Prints a result to stdout: with `--json` as one document, else as lines for people. */
export function printResult(
  { json }: { readonly json?: boolean },
  command: string,
  document: object,
  lines: () => readonly string[],
): void {
  if (json === true) printJson({ version: 1, command, ...document });
  else
    process.stdout.write(
      lines()
        .map((line) => `${line}\n`)
        .join(''),
    );
}

/** `topic  text` lines, with the texts aligned. */
export function alignTopics(lines: readonly (readonly [topic: string, text: string])[]): string[] {
  const width = Math.max(0, ...lines.map(([topic]) => topic.length));
  return lines.map(([topic, text]) => `${topic.padEnd(width)}  ${text}`);
}

/** Prints a warning to stderr. It may quote names of files and values, which may contain anything. */
export function printWarning(text: string): void {
  process.stderr.write(`${colorsFor(process.stderr).yellow('!')} ${toLines(text).join('\n')}\n`);
}

export type Colors = Pick<
  ReturnType<typeof pico.createColors>,
  'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold'
>;

/**
 * Colours for a stream: none if it is not a terminal, if NO_COLOR is set, or on a dumb terminal. FORCE_COLOR overrides this, and
 * `FORCE_COLOR=0` turns them off. An empty variable counts as unset.
 */
export function colorsFor(stream: { readonly isTTY?: boolean | undefined }): Colors {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  const isForced = FORCE_COLOR === '0' || FORCE_COLOR === 'false' ? false : FORCE_COLOR ? true : undefined;
  return pico.createColors(isForced ?? (stream.isTTY === true && !NO_COLOR && TERM !== 'dumb'));
}
