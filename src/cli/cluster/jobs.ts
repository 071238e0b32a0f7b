import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import process from 'node:process';
import { factsOf } from '../../apps/facts.ts';
import { findProjectRoot, loadCheckedPlan, loadSelectedPlan } from '../../apps/load-plan.ts';
import { describeError, ReproError } from '../../errors.ts';
import { cancelJobs } from '../../runner/cluster/cancel-jobs.ts';
import { readClusterSettings } from '../../runner/cluster/cluster-settings.ts';
import { runStageJob } from '../../runner/cluster/stage-job.ts';
import { listenForJobSignals, nameOfThisJob } from '../../runner/cluster/this-job.ts';
import { BatchFolder } from '../../runner/jobs/batch.ts';
import { isRightJob } from '../../runner/jobs/claim.ts';
import { listBatches } from '../../runner/jobs/jobs-folder.ts';
import { readSubmittedRun, selectRest } from '../../runner/jobs/submitted-run.ts';
import { writeTaskEnd } from '../../runner/jobs/task-end.ts';
import { cacheFolderOf } from '../../runner/store/cache-folder.ts';
import { listenForSignals, type SignalListener } from '../process/ending.ts';
import { useSlurm } from '../run/on-cluster.ts';
import { explainOtherWatcher, finishRun, runShown } from '../run/run.ts';
import { printJson, printWarning } from '../view/print.ts';
import { toOneLine } from '../view/safe-text.ts';

/** `repro attach`: waits for the jobs of an earlier `repro run --executor slurm`, and goes on with that run. */
export async function attach(options: { readonly project?: string; readonly json?: boolean }): Promise<void> {
  const signals = listenForSignals();
  try {
    await attachUntil(signals, options);
  } finally {
    signals.dispose();
  }
}

async function attachUntil(
  signals: SignalListener,
  options: { readonly project?: string; readonly json?: boolean },
): Promise<void> {
  const projectRoot = findProjectRoot(options.project ?? process.cwd());
  const folder = cacheFolderOf({ projectRoot });
  const submitted = readSubmittedRun(folder);
  if (submitted === null) {
    throw new ReproError('no-jobs', 'no run on a cluster is under way in this project', {
      fix: 'Begin one with `./repro run --executor slurm`.',
    });
  }
  const { profile, set, failFast } = submitted;
  const request = { ...options, ...(profile === null ? {} : { profile }), set };
  const plan = await loadCheckedPlan(request, printWarning);
  const { selected, forced } = selectRest(plan, submitted, listBatches(folder.jobs));
  const cluster = await useSlurm(plan, request, { isDetached: false, isAttached: true });
  const { stop, kill } = signals;
  const shown = { selected, named: forced, stop, kill, cluster, forcesNamed: true };
  const state = await explainOtherWatcher(folder, () => runShown(plan, { ...request, failFast }, shown));
  await finishRun(plan, state, request, signals, cluster);
}

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

/** `repro stage-job`: what a job on a node runs. */
export async function stageJob(root: string, indexText: string): Promise<void> {
  const index = Number(indexText);
  const folder = new BatchFolder(root);
  const batch = folder.readBatch();
  const task = Number.isSafeInteger(index) ? folder.readTask(index) : null;
  if (batch === null || task === null) {
    throw new ReproError('no-such-job', `there is no task ${indexText} of a submitted job`, {
      where: root,
      fix: '`./repro run --executor slurm` submits jobs; this command is what they run.',
    });
  }
  if (!(await isRightJob(folder.claimFile, process.env))) {
    // Whatever waits for the batch waits for the other one.
    process.stderr.write('another job was submitted for this; this one has nothing to do\n');
    return;
  }
  const signals = listenForJobSignals(process);
  try {
    // The script holds a warning back until then.
    await writeFile(folder.listeningFile(index), '');
    const { profile, set } = batch.selection;
    const plan = await loadSelectedPlan({ ...(profile === null ? {} : { profile }), set });
    process.exitCode = await runStageJob({
      ...{ plan, folder, index, task },
      settings: await readClusterSettings(plan.projectRoot),
      facts: factsOf(plan.projectRoot),
      environment: process.env,
      signals,
    });
  } catch (error) {
    // What the runner shows is in the file; the log of the job has it, too.
    const code = error instanceof ReproError ? error.code : 'internal';
    const end = { version: 1, kind: 'failed', code, text: describeError(error) } as const;
    const job = nameOfThisJob(process.env);
    try {
      await writeTaskEnd(folder.endFile(index), { ...end, job, node: os.hostname() });
    } catch (cause) {
      // The disk that failed may be the reason for both.
      process.stderr.write(`${end.text}\n`);
      throw cause;
    }
    throw error;
  }
}
