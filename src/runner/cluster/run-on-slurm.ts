import { ReproError } from '../../errors.ts';
import { Slurm } from '../../executors/slurm/slurm.ts';
import type { StartOtherMachines } from '../run/other-machines.ts';
import { findBatches } from './batch.ts';
import { forgetCancellation } from './cancellation.ts';
import { type ClusterOptions, ClusterRun } from './cluster-run.ts';
import { listOutstanding } from './outstanding.ts';
import { removeSubmittedRun } from './run-file.ts';

/** Runs the instances of a run that do not stay here as jobs of Slurm. */
export function runOnSlurm(options: ClusterOptions): StartOtherMachines {
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
      throw withJobsThatGoOn(error, listOutstanding(folder).length);
    }
    return run;
  };
}

/** Says of a run that has not begun as a whole what of it has. */
function withJobsThatGoOn(error: unknown, count: number): unknown {
  if (!(error instanceof ReproError) || error.code !== 'slurm-refused' || count === 0) return error;
  const { code, message, where, fix, cause } = error;
  const [jobs, them] =
    count === 1
      ? ['1 job that was submitted before goes', 'it']
      : [`${count} jobs that were submitted before go`, 'them'];
  const more = `${jobs} on: \`./repro attach\` waits for ${them}, \`./repro cancel\` ends ${them}.`;
  return new ReproError(code, message, { where, fix: `${fix}\n${more}`, cause });
}
