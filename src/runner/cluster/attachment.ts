import { ReproError } from '../../errors.ts';
import { jobOf, type PlacedJob } from '../jobs/batch.ts';
import { hasEnded, type TaskEnd, writeTaskEnd } from '../jobs/task-end.ts';
import type { Plan } from '../plan/plan.ts';
import type { RunEvent } from '../run/events.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import { findChangedParts } from './cluster-freshness.ts';
import { continuedTaskOf, judgeEnded } from './continuation.ts';
import type { ExistingJob } from './existing-jobs.ts';
import type { Verdict } from './verdict.ts';

type Ended = Extract<Verdict, { kind: 'failed' | 'dropped' }>;

/**
 * Finds jobs of earlier commands to wait for, instead of submitting new ones.
 *
 * @param waiting the instances that have to run, with what is known of their fingerprints
 * @param options.isAttached whether the ends of jobs are only reported; otherwise failed and stale instances are submitted again
 * @throws {ReproError} `job-differs` if a job under way was submitted for other code, parameters or inputs
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
    // `attach` reports how a job ended.
    if (verdict.kind === 'wait' || isAttached) found.set(id, job);
    const text = await describeWarning(job, parts, isAttached);
    if (text !== null) onEvent({ kind: 'note', id, level: 'warning', text });
  }
  const error = await findDifferingJobs(compared);
  if (error !== null) throw error;
  return found;
}

/** A warning about a job that is over; null if there is none. */
async function describeWarning(
  { submitted, index, verdict, task }: ExistingJob,
  parts: FingerprintParts,
  isAttached: boolean,
): Promise<string | null> {
  if (verdict.kind === 'wait') return null;
  const job = `job ${jobOf(submitted.batch, index)}`;
  if (!('fingerprint' in verdict))
    return isAttached ? null : `${describeEnd(job, verdict)}; submitting it again`;
  const [changed] = isAttached ? await findChangedParts(task.parts, parts) : [];
  return changed === undefined
    ? null
    : `the result of ${job} is stale (${changed}); \`./repro run --executor slurm\` computes it again`;
}

function describeEnd(job: string, verdict: Ended): string {
  if (verdict.kind === 'dropped') return `${job} never ran, because a job that it depends on failed`;
  const [reason = ''] = verdict.text.split('\n', 1);
  return reason.startsWith('job ') ? reason : `${job} failed meanwhile: ${reason}`;
}

/** The others are only counted. */
const shownAtMost = 5;

/** The error about jobs whose code, parameters or inputs have changed since they were submitted; null if there are none. */
async function findDifferingJobs(
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
      `"${id}" has changed since job ${jobOf(existing.submitted.batch, existing.index)} was submitted: ${first}${rest}`,
    );
  }
  if (lines.length === 0) return null;
  const hidden = lines.length - shownAtMost;
  return new ReproError(
    'job-differs',
    [...lines.slice(0, shownAtMost), ...(hidden > 0 ? [`and ${hidden} more`] : [])].join('\n'),
    {
      fix: `Cancel the outdated jobs, then run again: ./repro cancel${ids.length > shownAtMost ? '' : ` ${ids.join(' ')}`}`,
    },
  );
}

/** Whether an instance whose job's time was over continues in another job. */
type Replaced =
  | { readonly kind: 'continues'; readonly count: number }
  | { readonly kind: 'ends'; readonly error: ReproError };

/**
 * Decides whether an instance continues after its earlier job ended with its time, as a command that watched the job would have. If not, that
 * is recorded as the end of the job.
 *
 * @param parts what is known of its fingerprint now
 * @param limit how often it may continue
 * @returns null if it starts from the beginning: its job ended for another reason, it cannot be resumed, or it has changed since
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
  if (continued.kind === 'continues') return continued;
  const [reason = ''] = verdict.text.split('\n', 1);
  const text = `${reason}${continued.why}`;
  await noteEnd({ submitted, index }, { code: continued.code, text });
  return { kind: 'ends', error: new ReproError(continued.code, text) };
}

/** Records that a new job replaces one that did not report its end. */
export async function noteReplaced(job: PlacedJob): Promise<void> {
  if (hasEnded(job.submitted.folder.readEnd(job.index))) return;
  await noteEnd(job, { code: 'replaced', text: 'replaced by a new job' });
}

function noteEnd(
  { submitted, index }: PlacedJob,
  said: Pick<Extract<TaskEnd, { kind: 'failed' }>, 'code' | 'text'>,
): Promise<void> {
  const job = jobOf(submitted.batch, index) ?? '0';
  const end = { version: 1, kind: 'failed', job, node: 'none', ...said } as const;
  return writeTaskEnd(submitted.folder.endFile(index), end);
}
