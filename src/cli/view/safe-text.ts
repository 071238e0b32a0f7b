import { stripVTControlCharacters } from 'node:util';

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
