import path from 'node:path';
import process from 'node:process';
import { findProjectRoot } from '../../apps/load-plan.ts';
import { quoteWords } from '../../files/shell-words.ts';
import { loadPlan } from '../../runner/plan/load.ts';
import type { GoneOutput } from '../../runner/store/heal-store.ts';
import { verifyStore } from '../../runner/store/verify-store.ts';
import { formatBytes } from '../../text.ts';
import { TransferLine } from '../options/remote.ts';
import { exitCode } from '../process/ending.ts';
import { printJson } from '../view/print.ts';
import { toOneLine } from '../view/safe-text.ts';

interface VerifyOptions {
  readonly project?: string;
  readonly json?: boolean;
}

/** `repro cache verify`: checks everything in the store against its name; exits with 1 if something was damaged, is gone, or could not be settled. */
export async function verify(options: VerifyOptions): Promise<void> {
  const projectRoot = findProjectRoot(options.project ?? process.cwd());
  const line = new TransferLine();
  const onProgress = (doneBytes: number, totalBytes: number): void =>
    line.show({ id: 'checked', doneBytes, totalBytes });
  const check = await verifyStore({ projectRoot, onProgress }).finally(() => line.clear());
  const { files, bytes, damaged, storedAgain, gone, lostRecords, lostSources, unsettled } = check;
  const names = damaged.map((file) => path.relative(projectRoot, file));
  if (options.json === true) {
    const found = { files, bytes, damaged: names, storedAgain, gone, lostRecords, lostSources, unsettled };
    printJson({ version: 1, command: 'cache verify', ...found });
  } else {
    const lines = [
      ...names.map((name) => `damaged and removed: ${name}`),
      ...storedAgain.map((name) => `re-stored from its intact output: ${name}`),
      ...gone.map(
        ({ id, output }) => `lost, neither in the store nor intact in its place: ${output} (${id})`,
      ),
      ...lostRecords.map((id) => `no record is left of ${id}: a run computes it again`),
      ...lostSources.map(
        ({ source, ids }) =>
          `the text of ${source} that ${ids.join(', ')} ran with is gone: explain cannot show how it differs`,
      ),
      ...unsettled.map(({ path: name, problem }) => `${name} ${problem}`),
    ];
    const again = storedAgain.length === 0 ? '' : `, ${storedAgain.length} re-stored`;
    lines.push(`${files} files, ${formatBytes(bytes)} checked; ${damaged.length} damaged${again}`);
    if (gone.length > 0) {
      const { adviseOnLost } = await import('./verify.ts');
      lines.push(...(await adviseOnLost(projectRoot, gone)));
    }
    process.stdout.write(lines.map((one) => `${toOneLine(one)}\n`).join(''));
  }
  if (damaged.length + gone.length + unsettled.length > 0) process.exitCode = exitCode.stageFailed;
}

/**
 * What helps against outputs that are nowhere any more, one line a profile and remedy: a run, for instances that the pipeline still has under
 * the profile of their last run; else to give them up.
 */
export async function adviseOnLost(projectRoot: string, gone: readonly GoneOutput[]): Promise<string[]> {
  const lines: string[] = [];
  for (const profile of new Set(gone.map((one) => one.profile))) {
    const ids = [...new Set(gone.filter((one) => one.profile === profile).map(({ id }) => id))];
    const known = await listInstances(projectRoot, profile);
    const run = profile === noProfile ? ['./repro', 'run'] : ['./repro', 'run', '--profile', profile];
    const withProfile = profile === noProfile ? '' : ` with profile ${profile}`;
    if (known === null) {
      lines.push(
        `The pipeline cannot be loaded${withProfile}. What it still has, a run computes again: ${quoteWords(run)}`,
      );
      continue;
    }
    const there = ids.filter((id) => known.has(id));
    const others = ids.filter((id) => !known.has(id));
    if (there.length > 0) lines.push(`A run computes it again: ${quoteWords([...run, ...there])}`);
    if (others.length > 0) {
      const forget = ['./repro', 'gc', ...others.flatMap((id) => ['--forget', id])];
      lines.push(`Not in the pipeline${withProfile}; give it up: ${quoteWords(forget)}`);
    }
  }
  return lines;
}

/** What records of a pipeline without profiles have. */
const noProfile = 'none';

/** null if the pipeline cannot be loaded. */
async function listInstances(projectRoot: string, profile: string): Promise<ReadonlySet<string> | null> {
  const load = async (name: string | undefined): Promise<ReadonlySet<string>> =>
    new Set((await loadPlan({ projectRoot, profile: name })).instances.keys());
  try {
    return await load(profile);
  } catch {
    return profile === noProfile ? load(undefined).catch(() => null) : null;
  }
}
