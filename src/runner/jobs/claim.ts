import { readlinkSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { syncFolder } from '../../files/atomic-file.ts';
import { unreadable } from './state-file.ts';

/** The id of the one job of a batch; `none`: it has none, and a job that turns up later must not run. */
export type Claim = string;

const none: Claim = 'none';

/**
 * The job of a batch, once it is decided: the target of a symbolic link. On a file system, NFS included, only a link appears with its content in
 * one step and never replaces another.
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
 * Decides which job a batch has, unless that is decided: if the answer of `sbatch` was lost, there may be two. Each job, and the runner that
 * submitted them, calls this before anything else.
 *
 * @param jobId this one; null: there is none, and there must be none
 * @returns the job that counts, which may be another one; null if there is none, or if the folder is gone
 */
export async function claim(file: string, jobId: string | null): Promise<string | null> {
  try {
    await fs.symlink(jobId ?? none, file);
    await syncFolder(path.dirname(file));
  } catch (error) {
    // Removed: no command waits for its jobs any more.
    if (hasErrorCode(error, 'ENOENT')) return null;
    if (!hasErrorCode(error, 'EEXIST')) throw error;
  }
  const decided = readClaim(file);
  return decided === none ? null : decided;
}

/**
 * Makes a link and removes it, so that nothing is submitted that could not be claimed.
 *
 * @param file a path where nothing exists
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
 * Whether this process belongs to the job that counts for its batch. Any other job must end at once and touch nothing. A requeued job has the
 * same id again.
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
