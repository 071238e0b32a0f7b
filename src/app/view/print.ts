import process from 'node:process';
import { stripVTControlCharacters } from 'node:util';
import pico from 'picocolors';

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

/** The escape sequences that Node's function leaves: device control strings and their like, up to their end. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controlStrings = /(?:\u001b[PX^_]|[\u0090\u0098\u009e\u009f])[\s\S]*?(?:\u001b\\|\u009c|\u0007|$)/g;

/** C0 and C1 controls, line separators, and what reorders or hides the text around it. */
const unseen =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;

/**
 * Text from a stage, a log or a file name, as one line that cannot move the cursor, change colours, ring the bell or reorder what is
 * around it. Line breaks and tabs become spaces; letters of any script and emoji stay.
 */
export function toOneLine(text: string): string {
  return stripVTControlCharacters(text.replace(controlStrings, ''))
    .replace(/\r\n|[\n\r\t\v\f\u2028\u2029]/g, ' ')
    .replace(unseen, '')
    .replace(/\p{Surrogate}/gu, '\ufffd');
}

/** As {@link toOneLine}, but keeps the line breaks. */
export function toLines(text: string): string[] {
  return text.split(/\r?\n/).map(toOneLine);
}
