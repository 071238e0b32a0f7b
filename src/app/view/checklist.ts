import stringWidth from 'string-width';
import { type Colors, toOneLine } from './print.ts';

/** What a command says of one thing, or of several alike. */
export interface CheckedRow {
  readonly name: string;
  /** `noted`: worth knowing, but no failure; `skipped`: there was nothing to judge. */
  readonly state: 'ok' | 'failed' | 'noted' | 'skipped';
  /** The state in words: `not reproduced`. */
  readonly word: string;
  readonly text: string;
}

/** What was checked, for people. */
export interface Checklist {
  readonly rows: readonly CheckedRow[];
  readonly isGood: boolean;
  /** A sentence. */
  readonly summary: string;
  /** What to do if it is not good; lines. */
  readonly remedy: readonly string[];
}

/** A row for each item, then the summary. */
export function describeChecklist({ rows, isGood, summary, remedy }: Checklist, c: Colors): string[] {
  const paint: Readonly<Record<CheckedRow['state'], (text: string) => string>> = {
    ok: c.green,
    failed: c.red,
    noted: c.yellow,
    skipped: c.dim,
  };
  const width = Math.max(0, ...rows.map(({ name }) => stringWidth(toOneLine(name))));
  const wordWidth = Math.max(0, ...rows.map(({ word }) => stringWidth(toOneLine(word))));
  return [
    ...rows.map(({ name, state, word, text }) => {
      const title = toOneLine(name);
      const fill = ' '.repeat(width - stringWidth(title));
      return `${title}${fill}  ${paint[state](toOneLine(word).padEnd(wordWidth))}  ${toOneLine(text)}`.trimEnd();
    }),
    (isGood ? c.green : c.red)(toOneLine(summary)),
    ...(isGood ? [] : remedy.map((line) => `  ${toOneLine(line)}`)),
  ];
}
