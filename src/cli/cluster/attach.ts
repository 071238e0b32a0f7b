import process from 'node:process';
import { ReproError } from '../../errors.ts';
import { cacheFolderOf } from '../../runner/cache/cache-folder.ts';
import { listBatches } from '../../runner/cluster/batch.ts';
import { readSubmittedRun } from '../../runner/cluster/run-file.ts';
import { loadCheckedPlan } from '../load.ts';
import { findProjectRoot } from '../project.ts';
import { finishRun, runShown } from '../run/run.ts';
import { listenForSignals } from '../signals.ts';
import { useSlurm } from './cluster-options.ts';

/** `repro attach`: waits for the jobs of an earlier `repro run --executor slurm`, and goes on with that run. */
export async function attach(options: { readonly project?: string; readonly json?: boolean }): Promise<void> {
  const projectRoot = findProjectRoot(options.project ?? process.cwd());
  const folder = cacheFolderOf({ projectRoot });
  const submitted = readSubmittedRun(folder);
  if (submitted === null) {
    throw new ReproError('no-jobs', 'no run on a cluster is under way in this project', {
      fix: 'Begin one with `repro run --executor slurm`.',
    });
  }
  const { profile, set, ids, forced, failFast } = submitted;
  const request = { ...options, ...(profile === null ? {} : { profile }), set };
  const plan = await loadCheckedPlan(request);
  const selected = new Set(ids.filter((id) => plan.instances.has(id)));
  const hasJob = new Set(listBatches(folder.jobs).flatMap(({ batch }) => batch.tasks.map(({ id }) => id)));
  const cluster = await useSlurm(plan, request, { isDetached: false, isAttached: true });
  const signals = listenForSignals();
  try {
    const state = await runShown(
      plan,
      { ...request, failFast },
      {
        selected,
        // Those that have a job were begun.
        named: new Set(forced.filter((id) => !hasJob.has(id))),
        stop: signals.stop,
        kill: signals.kill,
        cluster,
        forcesNamed: true,
      },
    );
    await finishRun(plan, state, request, signals);
  } finally {
    signals.dispose();
  }
}
