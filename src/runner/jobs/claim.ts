import { readlinkSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { syncFolder } from '../../files/atomic-file.ts';
import { unreadable } from './state-file.ts';

/** The id of the one job that a batch has; `none`: it has none, and none that turns up later may run. */
export type Claim = string;

const none: Claim = 'none';

/**
 * The job that a batch has, if that is decided: the target of a symbolic link. Of all that a file system offers, only a link appears with
 * its content in one step and never replaces another, on NFS, too.
 *
 * @throws {ReproError} `jobs-unreadable`
 */
export function readClaim(file: string): Claim | null {
  try {
    return readlinkSync(file);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return null;
    throw unreadable(file, error);
  }
}

/**
 * Decides which job a batch has, unless that is decided: if the answer of `sbatch` was lost, there may be two, and each of them, and whoever
 * submitted them, calls this before anything else.
 *
 * @param jobId this one; null: there is none, and none shall be
 * @returns the job that counts, which may be another one; null if there is none, or if the folder is gone
 */
export async function claim(file: string, jobId: string | null): Promise<string | null> {
  try {
    await fs.symlink(jobId ?? none, file);
    await syncFolder(path.dirname(file));
  } catch (error) {
    // Removed: nobody waits for its jobs any more.
    if (hasErrorCode(error, 'ENOENT')) return null;
    if (!hasErrorCode(error, 'EEXIST')) throw error;
  }
  const decided = readClaim(file);
  return decided === none ? null : decided;
}

/**
 * Makes a link and removes it, before anything is submitted that could not be claimed.
 *
 * @param file where nothing is
 * @throws {ReproError} `no-links` on a file system without symbolic links
 */
export async function assertLinks(file: string): Promise<void> {
  try {
    await fs.symlink(none, file);
  } catch (cause) {
    if (!hasErrorCode(cause, 'EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP')) throw cause;
    throw new ReproError(
      'no-links',
      'this file system has no symbolic links, which jobs need to be told apart',
      {
        where: path.dirname(file),
        fix: 'Move the project to one that has them, such as your home folder.',
        cause,
      },
    );
  }
  await fs.rm(file, { force: true });
}

/**
 * Whether this process belongs to the job that its batch has. Any other one ends at once and touches nothing: nothing waits for it. One that
 * was put back into the queue has the same id again.
 *
 * @throws {ReproError} `no-such-job` outside of a job
 */
export async function isRightJob(file: string, environment: NodeJS.ProcessEnv): Promise<boolean> {
  const jobId = environment.SLURM_ARRAY_JOB_ID ?? environment.SLURM_JOB_ID;
  if (jobId === undefined || !/^\d+$/.test(jobId)) {
    throw new ReproError('no-such-job', 'SLURM_JOB_ID does not say which job this is', {
      where: path.dirname(file),
      fix: 'Only jobs run this command. A container must pass on variables that begin with SLURM_.',
    });
  }
  return (await claim(file, jobId)) === jobId;
}
