import { ReproError } from '../../errors.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import { jobOf } from './batch.ts';
import { findChangedParts } from './changed-parts.ts';
import type { ExistingJob } from './existing-jobs.ts';

/** More than a screenful helps nobody. */
const shownAtMost = 5;

/** The error about jobs that were submitted for other code, parameters or inputs than there are now; null if there are none. */
export async function findDifferingJobs(
  jobs: readonly { readonly id: string; readonly existing: ExistingJob; readonly parts: FingerprintParts }[],
): Promise<ReproError | null> {
  const lines: string[] = [];
  const ids: string[] = [];
  for (const { id, existing, parts } of jobs) {
    const changed = await findChangedParts(existing.task.parts, parts);
    const [first, ...more] = changed;
    if (first === undefined) continue;
    ids.push(id);
    const rest = more.length === 0 ? '' : ` and ${more.length} more`;
    lines.push(
      `job ${jobOf(existing.submitted.batch, existing.index)} was submitted for another "${id}": ${first}${rest}`,
    );
  }
  if (lines.length === 0) return null;
  const hidden = lines.length - shownAtMost;
  return new ReproError(
    'job-differs',
    [...lines.slice(0, shownAtMost), ...(hidden > 0 ? [`and ${hidden} more`] : [])].join('\n'),
    {
      fix: `End what is no longer wanted, then run again: ./repro cancel${ids.length > shownAtMost ? '' : ` ${ids.join(' ')}`}`,
    },
  );
}
