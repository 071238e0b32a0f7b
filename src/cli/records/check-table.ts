import stringWidth from 'string-width';
import type { Colors } from '../view/colors.ts';
import { toOneLine } from '../view/safe-text.ts';
import type { CheckedGroup, CheckedItem } from './check-group.ts';

/** Narrower columns of text than this are not worth wrapping. */
const narrowest = 30;

/**
 * A group for people: a row for each thing, then what they say as a whole.
 *
 * @param columns of the terminal, to wrap texts in their column; undefined: each row is one line
 */
export function describeGroup(
  { rows, isGood, summary, remedy }: CheckedGroup,
  { colors: c, columns }: { readonly colors: Colors; readonly columns?: number | undefined },
): string[] {
  const paint: Readonly<Record<CheckedItem['state'], (text: string) => string>> = {
    ok: c.green,
    failed: c.red,
    unsure: c.yellow,
    noted: c.yellow,
    error: c.red,
    skipped: c.dim,
  };
  const width = Math.max(0, ...rows.map(({ name }) => stringWidth(toOneLine(name))));
  const wordWidth = Math.max(0, ...rows.map(({ word }) => stringWidth(toOneLine(word))));
  const indent = width + wordWidth + 4;
  return [
    ...rows.flatMap(({ name, state, word, text }) => {
      const title = toOneLine(name);
      const fill = ' '.repeat(width - stringWidth(title));
      const [first = '', ...rest] = wrapWords(
        toOneLine(text),
        columns === undefined ? Number.NaN : columns - indent,
      );
      return [
        `${title}${fill}  ${paint[state](toOneLine(word).padEnd(wordWidth))}  ${first}`.trimEnd(),
        ...rest.map((line) => ' '.repeat(indent) + line),
      ];
    }),
    (isGood ? c.green : c.red)(toOneLine(summary)),
    ...(isGood ? [] : remedy.map((line) => `  ${toOneLine(line)}`)),
  ];
}

/** Lines of at most `width` columns, unless a word is longer; one line if that is too narrow or not a number. */
function wrapWords(text: string, width: number): string[] {
  if (!(width >= narrowest)) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && stringWidth(line) + 1 + stringWidth(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
