import type { Colors } from '../view/colors.ts';
import { toOneLine } from '../view/safe-text.ts';
import type { CheckedGroup, CheckedItem } from './check-group.ts';

/** A group for people: a row for each thing, then what they say as a whole. */
export function describeGroup({ rows, isGood, summary, remedy }: CheckedGroup, c: Colors): string[] {
  const paint: Readonly<Record<CheckedItem['state'], (text: string) => string>> = {
    ok: c.green,
    failed: c.red,
    unsure: c.yellow,
    skipped: c.dim,
  };
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  const wordWidth = Math.max(0, ...rows.map(({ word }) => word.length));
  return [
    ...rows.map(({ name, state, word, text }) =>
      `${toOneLine(name).padEnd(width)}  ${paint[state](word.padEnd(wordWidth))}  ${toOneLine(text)}`.trimEnd(),
    ),
    isGood ? c.green(summary) : c.red(summary),
    ...(isGood ? [] : remedy.map((line) => `  ${line}`)),
  ];
}
