import process from 'node:process';
import { findProjectRoot, loadCheckedPlan } from '../../apps/load-plan.ts';
import { ReproError } from '../../errors.ts';
import { listBatches } from '../../runner/jobs/jobs-folder.ts';
import { readSubmittedRun, selectRest } from '../../runner/jobs/submitted-run.ts';
import { cacheFolderOf } from '../../runner/store/cache-folder.ts';
import { listenForSignals, type SignalListener } from '../process/signals.ts';
import { useSlurm } from '../run/on-cluster.ts';
import { explainOtherWatcher, finishRun, runShown } from '../run/run.ts';
import { printWarning } from '../view/print.ts';

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
