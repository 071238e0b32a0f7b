import { toOneLine } from '../view/safe-text.ts';
import type { CheckedGroup, CheckedItem } from './check-group.ts';

const SIGNS: Readonly<Record<CheckedItem['state'], string>> = {
  ok: '✅',
  failed: '❌',
  unsure: '⚠️',
  noted: 'ℹ️',
  error: '❌',
  skipped: '➖',
};

/** The results as Markdown, for the summary of a job: what failed comes with its remedy. */
export function formatMarkdown(groups: readonly CheckedGroup[]): string {
  const isGood = groups.every((group) => group.isGood);
  return [
    `## repro check: ${isGood ? 'passed' : 'failed'}`,
    '',
    ...groups.flatMap((group) => formatGroup(group)),
  ].join('\n');
}

function formatGroup({ title, rows, isGood, summary, remedy }: CheckedGroup): string[] {
  return [
    `### ${escapeMarkdown(title)}`,
    '',
    ...(rows.length === 0 ? [] : ['| Check | Result | |', '| --- | --- | --- |']),
    ...rows.map(
      ({ name, state, word, text }) =>
        `| ${escapeMarkdown(name)} | ${SIGNS[state]} ${escapeMarkdown(word)} | ${escapeMarkdown(text)} |`,
    ),
    ...(rows.length === 0 ? [] : ['']),
    `${isGood ? '' : '**'}${escapeMarkdown(summary)}${isGood ? '' : '**'}`,
    '',
    ...(isGood || remedy.length === 0 ? [] : ['```', ...remedy.map(toOneLine), '```', '']),
  ];
}

/** Names of files and models may contain what Markdown, or the HTML in it, would take for its own. */
function escapeMarkdown(text: string): string {
  return toOneLine(text)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/[\\`*_[\]|~@#!]/g, (sign) => `\\${sign}`);
}
