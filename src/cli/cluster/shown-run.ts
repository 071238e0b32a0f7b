import type { PlanSelection } from '../../runner/jobs/batch.ts';
import { readSubmittedRun } from '../../runner/jobs/submitted-run.ts';
import type { PipelineOptions } from '../load.ts';

/**
 * The run on a cluster that is under way, where the options name no other: whoever asks how things are means that one. null if there is none.
 *
 * @param jobs the cache's folder of jobs
 * @throws {ReproError} `jobs-unreadable`, `jobs-damaged`
 */
export function findShownRun(
  jobs: string,
  { profile, set }: Pick<PipelineOptions, 'profile' | 'set'>,
): PlanSelection | null {
  if (profile !== undefined || set.length > 0) return null;
  const run = readSubmittedRun({ jobs });
  return run === null ? null : { profile: run.profile, set: run.set };
}
