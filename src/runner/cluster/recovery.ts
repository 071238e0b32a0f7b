import type { Slurm } from '../../executors/slurm/slurm.ts';
import type { SubmittedBatch } from './batch.ts';
import { claim } from './claim.ts';
import { hidden, isOwn } from './owner.ts';
import { findAgain } from './submission.ts';

/**
 * Finds out which job a batch has whose submitter was killed before that was on disk. If Slurm knows none, the batch goes, and a job that
 * Slurm takes up only from now on ends at once.
 *
 * @returns null if it has none
 * @throws {ReproError} `slurm-unreachable`; `locked` if another user has submitted it, and Slurm does not show it
 */
export async function recoverBatch(slurm: Slurm, submitted: SubmittedBatch): Promise<SubmittedBatch | null> {
  const { batch, folder } = submitted;
  if (batch.jobId !== null) return submitted;
  const found = await findAgain(slurm, submitted);
  if (found === null && !isOwn(batch.owner)) throw hidden(null, batch.owner, folder.root);
  const jobId = found ?? (await claim(folder.claimFile, null));
  if (jobId === null) {
    await folder.remove();
    return null;
  }
  const recovered = { ...batch, jobId };
  await folder.writeBatch(recovered);
  return { batch: recovered, folder };
}
