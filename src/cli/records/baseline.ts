import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import type { Baseline } from '../../baseline/baseline.ts';
import { baselinePathOf, formatBaseline, readBaseline } from '../../baseline/baseline-file.ts';
import { type Change, listChanges } from '../../baseline/changes.ts';
import { ReproError } from '../../errors.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { quoteWords } from '../../files/shell-words.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { listSome } from '../../text.ts';
import { exitCode } from '../exit-code.ts';
import { printWarning } from '../lines.ts';
import { loadSelectedPlan, type PipelineOptions, pipelineArguments, printJson } from '../load.ts';
import { colorsFor } from '../view/colors.ts';
import { toOneLine } from '../view/safe-text.ts';
import { collectResults, findResults, hasResults } from './results.ts';

interface UpdateOptions extends PipelineOptions {
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `repro baseline update`: shows what the last run changes in the committed baseline, asks, and writes it. */
export async function updateBaseline(options: UpdateOptions): Promise<void> {
  refuseOverrides(options.set);
  const plan = await loadSelectedPlan(options);
  const now = await collectFresh(plan, options);
  const file = baselinePathOf(plan.profile);
  const before = await readOld(plan);
  const text = formatBaseline(now);
  const changes = listChanges(before, now);
  const isSame = (await readText(path.join(plan.projectRoot, file))) === text;
  if (options.json !== true) showChanges(file, changes, isSame);
  const isAgreed = !isSame && (options.yes === true || (await ask(file, options.json === true)));
  if (isAgreed) await writeFileAtomic(path.join(plan.projectRoot, file), text);
  if (options.json === true) {
    printJson({
      version: 1,
      command: 'baseline update',
      profile: plan.profile,
      file,
      written: isAgreed,
      changes,
    });
  } else if (isAgreed) process.stdout.write(`written  ${file}\n`);
  if (!isSame && !isAgreed) process.exitCode = exitCode.differs;
}

/** These change where data are or how fast they are computed, not what comes out. */
const harmless: ReadonlySet<string> = new Set(['dataset.root', 'threads']);

function refuseOverrides(set: readonly string[]): void {
  const other = set.find((assignment) => !harmless.has(assignment.split('=', 1)[0]?.trim() ?? ''));
  if (other === undefined) return;
  throw new ReproError('baseline-overridden', 'a baseline belongs to a profile as it is committed.', {
    where: `--set ${other}`,
    fix: 'Change the profile, or make one of your own in configs/profiles.',
  });
}

async function collectFresh(plan: Plan, options: PipelineOptions): Promise<Baseline> {
  if (!hasResults(plan)) {
    throw new ReproError(
      'no-results',
      'this pipeline has no networks to train and evaluate: its stages are not those of the reproduction.',
      {
        where: 'pipeline.yaml',
      },
    );
  }
  const results = await findResults(plan);
  if (results.kind === 'fresh') return collectResults(plan, results.statuses);
  const ids = results.stale.map(({ id }) => id);
  throw new ReproError(
    'results-stale',
    `${listSome(ids, 3)}: not up to date, so there is nothing to make a baseline of.`,
    {
      fix: `Run first: ./repro run ${quoteWords(pipelineArguments({ ...options, profile: plan.profile }))}`,
    },
  );
}

/** A baseline that is damaged, or in the middle of a merge, is replaced. */
async function readOld(plan: Plan): Promise<Baseline | null> {
  try {
    return await readBaseline(plan.projectRoot, plan.profile);
  } catch (error) {
    if (!(error instanceof ReproError) || error.code === 'unreadable') throw error;
    printWarning(
      `${error.where ?? baselinePathOf(plan.profile)}  ${toOneLine(error.message)} It will be replaced.`,
    );
    return null;
  }
}

/** What is in the file's place, to see whether anything is written at all. */
async function readText(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch(() => null);
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
  const cut = (text: string) => (text.length > cellWidth ? `${text.slice(0, cellWidth - 1)}…` : text);
  const rows = changes.map(({ subject, what, before, now }) =>
    [subject, what, before ?? '–', now ?? '–'].map((cell) => cut(toOneLine(cell))),
  );
  const head = ['', '', 'committed', 'now'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  process.stdout.write(`${c.bold(line(head))}\n`);
  let last = '';
  for (const row of rows) {
    const [subject = '', ...cells] = row;
    process.stdout.write(`${line([subject === last ? '' : subject, ...cells])}\n`);
    last = subject;
  }
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
