import { escapeMarkup } from '../../text.ts';
import type { CheckedGroup, CheckedItem } from './check-group.ts';

/**
 * The results as JUnit's XML, which continuous integration reads: a suite for each group, a test case for each thing. What is unsure or
 * failed is a failure, and what could not be judged an error. Times are left out: none was measured.
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
  if (state === 'skipped')
    return [`${head}>`, `      <skipped message="${escapeXml(text)}"/>`, '    </testcase>'];
  if (!isFailure(item) && state !== 'error') {
    return text === ''
      ? [`${head}/>`]
      : [`${head}>`, `      <system-out>${escapeXml(text)}</system-out>`, '    </testcase>'];
  }
  const message = `${word}: ${text}`;
  const tag = state === 'error' ? 'error' : 'failure';
  return [
    `${head}>`,
    `      <${tag} type="${escapeXml(word)}" message="${escapeXml(message)}">${escapeXml([message, ...remedy].join('\n'))}</${tag}>`,
    '    </testcase>',
  ];
}

/** For text and quoted attributes. Characters that XML 1.0 cannot contain, however they are written, become U+FFFD. */
function escapeXml(text: string): string {
  const allowed = text
    .replace(/\p{Surrogate}/gu, '\ufffd')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML forbids
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
  return escapeMarkup(allowed).replace(/\r/g, '&#13;');
}
