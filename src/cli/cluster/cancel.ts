import process from 'node:process';
import { findProjectRoot } from '../../apps/load-plan.ts';
import { cancelJobs } from '../../runner/cluster/cancel-jobs.ts';
import { cacheFolderOf } from '../../runner/store/cache-folder.ts';
import { printJson } from '../view/print.ts';
import { toOneLine } from '../view/safe-text.ts';

/** `repro cancel`: ends the jobs of all instances, or of those named, with what waits for them. */
export async function cancel(
  targets: readonly string[],
  options: { readonly project?: string; readonly json?: boolean },
): Promise<void> {
  const projectRoot = findProjectRoot(options.project ?? process.cwd());
  const { cancelled, dropped, isRunTold } = await cancelJobs(
    cacheFolderOf({ projectRoot }),
    targets,
    process.env,
  );
  if (options.json === true) {
    printJson({ version: 1, command: 'cancel', jobs: cancelled, dropped });
    return;
  }
  for (const { id, job } of cancelled) process.stdout.write(`${toOneLine(id)}  job ${job} cancelled\n`);
  for (const { id, job } of dropped) {
    process.stdout.write(`${toOneLine(id)}  job ${job} dropped: what it waited for is cancelled\n`);
  }
  if (isRunTold) process.stdout.write('the run that is under way submits nothing more\n');
  else if (cancelled.length === 0) process.stdout.write('there is no job to cancel\n');
}
