import { ReproError } from '../../errors.ts';
import type { Plan } from '../plan/plan.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import { jobOf, type PlacedJob } from './batch.ts';
import { findChangedParts } from './changed-parts.ts';
import { continuedTaskOf, judgeEnded } from './continuation.ts';
import type { ExistingJob } from './existing-jobs.ts';
import { hasEnded, type TaskEnd, writeTaskEnd } from './task-end.ts';

/** Whether an instance whose time was over goes on in another job. */
export type Replaced =
  | { readonly kind: 'goes-on'; readonly count: number }
  | { readonly kind: 'ends'; readonly error: ReproError };

/**
 * Decides about an instance whose earlier job was ended by its time, as whoever had waited for that job would have. Then the end of that
 * job is taken note of.
 *
 * @param parts what is known of its fingerprint now
 * @param limit how often it may go on
 * @returns null if it begins anew: its job has ended otherwise, it cannot be resumed, or it is another since
 */
export async function judgeEarlierJob(
  plan: Plan,
  { submitted, index, task, verdict }: ExistingJob,
  parts: FingerprintParts,
  limit: number,
): Promise<Replaced | null> {
  const instance = plan.instances.get(task.id);
  const end = submitted.folder.readEnd(index);
  const isTime = verdict.kind === 'failed' && verdict.code === 'timeout' && !hasEnded(end);
  if (!isTime || instance === undefined || instance.resume.length === 0) return null;
  if ((await findChangedParts(task.parts, parts)).length > 0) return null;
  const continued = await judgeEnded(end, continuedTaskOf(plan, instance, submitted.folder, index), limit);
  if (continued.kind === 'goes-on') return continued;
  const [reason = ''] = verdict.text.split('\n', 1);
  const text = `${reason}${continued.why}`;
  await noteEnd({ submitted, index }, { code: continued.code, text });
  return { kind: 'ends', error: new ReproError(continued.code, text) };
}

/** Takes note that another job has taken the place of one that did not say how it ended. */
export async function noteReplaced(job: PlacedJob): Promise<void> {
  if (hasEnded(job.submitted.folder.readEnd(job.index))) return;
  await noteEnd(job, { code: 'replaced', text: 'another job was submitted in its place' });
}

function noteEnd(
  { submitted, index }: PlacedJob,
  said: Pick<Extract<TaskEnd, { kind: 'failed' }>, 'code' | 'text'>,
): Promise<void> {
  const job = jobOf(submitted.batch, index) ?? '0';
  const end = { version: 1, kind: 'failed', job, node: 'none', ...said } as const;
  return writeTaskEnd(submitted.folder.endFile(index), end);
}
