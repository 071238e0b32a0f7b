import type { Plan } from '../plan/plan.ts';
import type { RunEvent } from '../run/events.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import { jobOf } from './batch.ts';
import { findChangedParts } from './changed-parts.ts';
import { findDifferingJobs } from './differing-jobs.ts';
import type { ExistingJob } from './existing-jobs.ts';
import type { Verdict } from './verdict.ts';

type Ended = Extract<Verdict, { kind: 'failed' | 'dropped' }>;

/**
 * What can be submitted now: everything that waits and depends on nothing but what is ready, or can be submitted, too.
 *
 * @param ids of the run, in plan order; what it depends on besides is taken as it is
 */
export function listSubmittable(
  plan: Plan,
  ids: readonly string[],
  isWaiting: (id: string) => boolean,
  isReady: (id: string) => boolean,
): string[] {
  const selected = new Set(ids);
  const found = new Set<string>();
  for (const id of ids) {
    const before = (plan.dependencies.get(id) ?? []).filter((one) => selected.has(one));
    if (isWaiting(id) && before.every((one) => isReady(one) || found.has(one))) found.add(id);
  }
  return [...found];
}

/**
 * The jobs of an earlier command that are waited for, instead of submitting others.
 *
 * @param waiting what is to run, with what is known of its fingerprint
 * @param options.isAttached whether the ends of jobs are told, rather than what has failed, or is stale since, submitted again
 * @throws {ReproError} `job-differs` if one that goes on was submitted for other code, parameters or inputs
 */
export async function findAttachable(
  ids: readonly string[],
  existing: ReadonlyMap<string, ExistingJob>,
  waiting: ReadonlyMap<string, FingerprintParts>,
  { isAttached, onEvent }: { readonly isAttached: boolean; readonly onEvent: (event: RunEvent) => void },
): Promise<ReadonlyMap<string, ExistingJob>> {
  const found = new Map<string, ExistingJob>();
  const compared: { id: string; existing: ExistingJob; parts: FingerprintParts }[] = [];
  for (const id of ids) {
    const [job, parts] = [existing.get(id), waiting.get(id)];
    if (job === undefined || parts === undefined) continue;
    const { verdict } = job;
    if (verdict.kind === 'wait') compared.push({ id, existing: job, parts });
    // A run that is only attached to tells how a job ended.
    if (verdict.kind === 'wait' || isAttached) found.set(id, job);
    const text = await describeWarning(job, parts, isAttached);
    if (text !== null) onEvent({ kind: 'note', id, level: 'warning', text });
  }
  const error = await findDifferingJobs(compared);
  if (error !== null) throw error;
  return found;
}

/** What there is to say about a job that is over, besides how it ended. */
async function describeWarning(
  { submitted, index, verdict, task }: ExistingJob,
  parts: FingerprintParts,
  isAttached: boolean,
): Promise<string | null> {
  if (verdict.kind === 'wait') return null;
  const job = `job ${jobOf(submitted.batch, index)}`;
  if (!('fingerprint' in verdict))
    return isAttached ? null : `${describeEnd(job, verdict)}; it is submitted again`;
  const [changed] = isAttached ? await findChangedParts(task.parts, parts) : [];
  return changed === undefined
    ? null
    : `what ${job} has made is stale (${changed}); \`./repro run --executor slurm\` makes it again`;
}

function describeEnd(job: string, verdict: Ended): string {
  if (verdict.kind === 'dropped') return `${job} never ran, since something that it waited for had failed`;
  const [reason = ''] = verdict.text.split('\n', 1);
  return reason.startsWith('job ') ? reason : `${job} failed meanwhile: ${reason}`;
}
