import { Slurm } from '../../executors/slurm/slurm.ts';
import type { Elsewhere } from '../elsewhere.ts';
import { findBatches } from './batch.ts';
import { forgetCancellation } from './cancellation.ts';
import { type ClusterOptions, ClusterRun } from './cluster-run.ts';
import { removeSubmittedRun } from './run-file.ts';

/** Runs the instances of a run that do not stay here as jobs of Slurm. */
export function runOnSlurm(options: ClusterOptions): Elsewhere {
  return async (surroundings) => {
    await forgetCancellation(surroundings.session.folder.jobs);
    const slurm = new Slurm(surroundings.environment);
    const facts = await slurm.describe();
    const run = new ClusterRun(surroundings, options, slurm, facts);
    try {
      await run.begin();
    } catch (error) {
      await run.abandon();
      const { folder } = surroundings.session;
      surroundings.assertLocked();
      // What was submitted before stays, and is found by the next command.
      const { batches, problems } = findBatches(folder.jobs);
      if (batches.length === 0 && problems.length === 0) await removeSubmittedRun(folder);
      throw error;
    }
    return run;
  };
}
