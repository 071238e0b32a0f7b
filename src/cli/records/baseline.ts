import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { type Change, prepareUpdate } from '../../apps/baseline.ts';
import type { PipelineOptions } from '../../apps/load-plan.ts';
import { shortenText } from '../../text.ts';
import { exitCode } from '../process/ending.ts';
import { colorsFor, printJson, printWarning, toOneLine } from '../view/print.ts';
import { alignTable } from '../view/table.ts';

/** `repro baseline update`: shows what the last run changes in the committed baseline, asks, and writes it. */
export async function updateBaseline(options: PipelineOptions & { readonly yes?: boolean }): Promise<void> {
  const { profile, file, changes, isSame, write } = await prepareUpdate(options, printWarning);
  if (options.json !== true) showChanges(file, changes, isSame);
  const isAgreed = !isSame && (options.yes === true || (await ask(file, options.json === true)));
  if (isAgreed) await write();
  if (options.json === true) {
    printJson({ version: 1, command: 'baseline update', profile, file, written: isAgreed, changes });
  } else if (isAgreed) process.stdout.write(`written  ${file}\n`);
  if (!isSame && !isAgreed) process.exitCode = exitCode.differs;
}

/** Long lists of clips are cut here; the file and --json have all. */
const cellWidth = 44;

function showChanges(file: string, changes: readonly Change[], isSame: boolean): void {
  const c = colorsFor(process.stdout);
  if (isSame) {
    process.stdout.write(`${file} is as it should be\n`);
    return;
  }
  if (changes.length === 0) {
    process.stdout.write('only the form of the file changes\n');
    return;
  }
  const rows = changes.map(({ subject, what, before, now }) =>
    [subject, what, before ?? '–', now ?? '–'].map((cell) => shortenText(toOneLine(cell), cellWidth)),
  );
  const [head = '', ...lines] = alignTable([
    ['', '', 'committed', 'now'],
    ...rows.map(([subject = '', ...cells], i) => [subject === rows[i - 1]?.[0] ? '' : subject, ...cells]),
  ]);
  process.stdout.write(`${[c.bold(head), ...lines].join('\n')}\n`);
}

async function ask(file: string, isSilent: boolean): Promise<boolean> {
  if (isSilent || process.stdin.isTTY !== true || process.stdout.isTTY !== true) {
    printWarning(`${file} is left as it is: to write it, give --yes`);
    return false;
  }
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await lines.question(`Write ${file}? [y/N] `)).trim());
  } finally {
    lines.close();
  }
}
