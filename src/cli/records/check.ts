import fs from 'node:fs/promises';
import process from 'node:process';
import { checkAll } from '../../apps/check.ts';
import type { CheckedGroup, CheckedSection } from '../../apps/check-group.ts';
import type { PipelineOptions } from '../../apps/load-plan.ts';
import { describeError } from '../../errors.ts';
import { assertChosenFile, writeChosenFile } from '../../files/chosen-file.ts';
import { exitCode } from '../process/ending.ts';
import { colorsFor, printJson, printWarning, toOneLine } from '../view/print.ts';
import { describeGroup, formatJunit, formatSummary } from './check-formats.ts';

interface CheckOptions extends PipelineOptions {
  /** False for `--no-data`. */
  readonly data: boolean;
  readonly junit?: string;
}

/**
 * `repro check`: checks published claims and the baseline; with --no-data, only the baseline's configuration. Exits with 4 if something
 * fails, and with 3 if results are merely stale. If the check cannot be made, the file of --junit says so, too.
 */
export async function check(options: CheckOptions): Promise<void> {
  const { junit } = options;
  if (junit !== undefined) await assertChosenFile(junit, '--junit');
  const sections: CheckedSection[] = [];
  try {
    await checkAll(options, sections);
  } catch (error) {
    await writeReports(sections, options).catch((cause) => printWarning(toOneLine(describeError(cause))));
    throw error;
  }
  await writeReports(sections, options);
  const failed = sections.filter(({ group }) => !group.isGood);
  if (failed.length === 0) return;
  const isOnlyStale = failed.every(({ document }) => document.kind === 'results');
  process.exitCode = isOnlyStale ? exitCode.stale : exitCode.differs;
}

async function writeReports(
  sections: readonly CheckedSection[],
  { json, junit }: CheckOptions,
): Promise<void> {
  const groups = sections.map(({ group }) => group);
  if (json === true) {
    const isGood = groups.every((group) => group.isGood);
    printJson({ version: 1, command: 'check', ok: isGood, checks: sections.map(({ document }) => document) });
  } else {
    const view = {
      colors: colorsFor(process.stdout),
      columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    };
    // The error itself goes to stderr.
    const shown = sections.filter(({ document }) => document.kind !== 'error');
    for (const { group } of shown) process.stdout.write(`${describeGroup(group, view).join('\n')}\n`);
  }
  if (junit !== undefined) await writeChosenFile(junit, formatJunit(groups), '--junit');
  await addToJobSummary(groups);
}

/** In a job of GitHub's. That it fails says nothing about the results. */
async function addToJobSummary(groups: readonly CheckedGroup[]): Promise<void> {
  const file = process.env.GITHUB_STEP_SUMMARY;
  if (!file) return;
  await fs
    .appendFile(file, formatSummary(groups))
    .catch((error) => printWarning(`$GITHUB_STEP_SUMMARY: nothing was added: ${toOneLine(String(error))}`));
}
