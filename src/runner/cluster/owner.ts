import os from 'node:os';
import process from 'node:process';
import { ReproError } from '../../errors.ts';

/** Who has submitted a job. Where a site hides jobs (`PrivateData=jobs`), Slurm tells nobody else about it. */
export interface Owner {
  readonly user: string;
  readonly uid: number;
}

/** Of this process. */
export function findOwner(): Owner {
  // Systems without numbers for users are none that have a shared folder of jobs.
  const uid = process.getuid?.() ?? 0;
  try {
    return { user: os.userInfo().username, uid };
  } catch {
    // A container need not know the names of its users.
    return { user: `user ${uid}`, uid };
  }
}

export function isOwn({ uid }: Owner): boolean {
  return uid === (process.getuid?.() ?? 0);
}

/** The error about a job of someone else that Slurm does not show: it may be at work all the same. */
export function hidden(job: string | null, { user }: Owner, folder: string): ReproError {
  return new ReproError(
    'locked',
    `${job === null ? 'a job' : `job ${job}`} of user "${user}" may work in this folder: Slurm does not say what has become of it`,
    {
      where: folder,
      fix: `Only "${user}" can: \`./repro attach\` takes note of it, \`./repro cancel\` ends it.`,
    },
  );
}
