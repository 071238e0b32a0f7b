import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../errors.ts';

/**
 * Tells a run that is under way to submit nothing more: `jobs/cancelled`. Whoever leaves it looks for jobs only after that, and a run looks
 * for it only after a batch is on disk, so that every job is found by one of them.
 *
 * @returns false if nothing was submitted here, so that no run of jobs is under way
 */
export async function markCancelled(jobs: string): Promise<boolean> {
  try {
    await fs.writeFile(fileIn(jobs), '');
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** @throws {ReproError} `cancelled` if this run was told so */
export function refuseCancelled(jobs: string): void {
  if (!existsSync(fileIn(jobs))) return;
  throw new ReproError('cancelled', 'this run was cancelled by `./repro cancel`', {
    fix: 'Nothing more is submitted. To go on, run again.',
  });
}

/** For the next run. */
export async function forgetCancellation(jobs: string): Promise<void> {
  await fs.rm(fileIn(jobs), { force: true });
}

function fileIn(jobs: string): string {
  return path.join(jobs, 'cancelled');
}
