import process from 'node:process';
import stringWidth from 'string-width';
import { exitCode } from '../process/ending.ts';
import type { PipelineOptions } from '../project/load-plan.ts';
import { type Colors, colorsFor, printResult, toOneLine } from '../view/print.ts';
import { updateBaseline } from './baseline.ts';
import { type CheckedRow, type CheckedSection, checkAll } from './checking.ts';

/**
 * `repro check`: checks published claims and the baseline; with --no-data, only the baseline's configuration. Exits with 4 if something
 * fails, and with 3 if results are merely stale.
 */
export async function check(options: PipelineOptions & { readonly data: boolean }): Promise<void> {
  const sections = await checkAll(options);
  const failed = sections.filter(({ isGood }) => !isGood);
  const document = { ok: failed.length === 0, checks: sections.map((section) => section.document) };
  printResult(options, 'check', document, () =>
    sections.flatMap((section) => describeSection(section, colorsFor(process.stdout))),
  );
  if (failed.length === 0) return;
  const isOnlyStale = failed.every((section) => section.document.kind === 'results');
  process.exitCode = isOnlyStale ? exitCode.stale : exitCode.differs;
}

/** A row for each item, then the summary. */
export function describeSection({ rows, isGood, summary, remedy }: CheckedSection, c: Colors): string[] {
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

/** `repro baseline update`: writes the last run as the committed baseline. */
export async function printUpdate(options: PipelineOptions): Promise<void> {
  const updated = await updateBaseline(options);
  const { file, written } = updated;
  printResult(options, 'baseline update', updated, () => [
    written ? `written  ${file}; git diff shows what changed` : `${file} is as it should be`,
  ]);
}
