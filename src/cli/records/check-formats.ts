import pico from 'picocolors';
import stringWidth from 'string-width';
import type { CheckedGroup, CheckedItem } from '../../apps/check-group.ts';
import { escapeMarkup, wrapText } from '../../text.ts';
import { type Colors, toOneLine } from '../view/print.ts';

/** Narrower columns of text are not worth wrapping. */
const narrowest = 30;

/**
 * A group for people: a row for each item, then the summary.
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
      const plain = toOneLine(text);
      const isWrapped = columns !== undefined && columns - indent >= narrowest;
      const [first = '', ...rest] = isWrapped ? wrapText(plain, columns - indent).split('\n') : [plain];
      return [
        `${title}${fill}  ${paint[state](toOneLine(word).padEnd(wordWidth))}  ${first}`.trimEnd(),
        ...rest.map((line) => ' '.repeat(indent) + line),
      ];
    }),
    (isGood ? c.green : c.red)(toOneLine(summary)),
    ...(isGood ? [] : remedy.map((line) => `  ${toOneLine(line)}`)),
  ];
}

/** What is printed, as Markdown for the summary of a job. */
export function formatSummary(groups: readonly CheckedGroup[]): string {
  const isGood = groups.every((group) => group.isGood);
  const lines = groups.flatMap((group) => describeGroup(group, { colors: pico.createColors(false) }));
  return `## repro check: ${isGood ? 'passed' : 'failed'}\n\n<pre>\n${escapeMarkup(lines.join('\n'))}\n</pre>\n`;
}

/**
 * The results as JUnit XML for continuous integration: one suite per group, one test case per item. `failed` and `unsure` are failures;
 * what could not be judged is an error. There are no times: none was measured.
 *
 * @see https://github.com/testmoapp/junitxml, which describes what readers agree on
 */
export function formatJunit(groups: readonly CheckedGroup[]): string {
  const total = countStates(groups.flatMap(({ items }) => items));
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="repro check" ${total}>`,
    ...groups.flatMap((group) => [
      `  <testsuite name="${escapeXml(group.title)}" ${countStates(group.items)}>`,
      ...group.items.flatMap((item) => formatCase(item, group)),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

function countStates(items: readonly CheckedItem[]): string {
  const failures = items.filter(isFailure).length;
  const errors = items.filter(({ state }) => state === 'error').length;
  const skipped = items.filter(({ state }) => state === 'skipped').length;
  return `tests="${items.length}" failures="${failures}" errors="${errors}" skipped="${skipped}"`;
}

function isFailure({ state }: CheckedItem): boolean {
  return state === 'failed' || state === 'unsure';
}

function formatCase(item: CheckedItem, { title, remedy }: CheckedGroup): string[] {
  const { name, state, word, text } = item;
  const head = `    <testcase classname="${escapeXml(title)}" name="${escapeXml(name)}"`;
  const message = escapeXml(`${word}: ${text}`);
  const tag = state === 'error' ? 'error' : 'failure';
  const inside =
    state === 'skipped'
      ? `<skipped message="${escapeXml(text)}"/>`
      : isFailure(item) || state === 'error'
        ? `<${tag} type="${escapeXml(word)}" message="${message}">${[message, ...remedy.map(escapeXml)].join('\n')}</${tag}>`
        : text === ''
          ? null
          : `<system-out>${escapeXml(text)}</system-out>`;
  return inside === null ? [`${head}/>`] : [`${head}>`, `      ${inside}`, '    </testcase>'];
}

/** For text and quoted attributes. Characters that XML 1.0 cannot contain, however they are written, become U+FFFD. */
function escapeXml(text: string): string {
  const allowed = text
    .replace(/\p{Surrogate}/gu, '\ufffd')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML forbids
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
  return escapeMarkup(allowed).replace(/\r/g, '&#13;');
}
