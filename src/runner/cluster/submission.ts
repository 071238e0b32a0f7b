import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { ReproError } from '../../errors.ts';
import { renderEnvironment } from '../../executors/slurm/job-script.ts';
import type { ClusterFacts, Slurm } from '../../executors/slurm/slurm.ts';
import {
  explainSubmission,
  isDependencyGone,
  isLimitReached,
  type RequestKey,
} from '../../executors/slurm/submission-errors.ts';
import { makeFolderSynced, writeFileAtomic } from '../../files/atomic-file.ts';
import { Attempts, type Patience } from './attempts.ts';
import type { Batch, BatchFolder, BatchTask, PlanSelection, SubmittedBatch } from './batch.ts';
import { describeBatch, type ScriptContext } from './batch-script.ts';
import { refuseCancelled } from './cancellation.ts';
import { assertLinks, claim, readClaim } from './claim.ts';
import type { PlannedBatch } from './grouping.ts';
import { findOwner } from './owner.ts';
import { noteBegun } from './run-file.ts';

/** What all submissions of one run share. */
export interface SubmissionContext extends ScriptContext {
  readonly slurm: Slurm;
  readonly facts: ClusterFacts;
  readonly selection: PlanSelection;
  /** Everything that the jobs of a batch see. */
  readonly environmentOf: (ids: readonly string[]) => Readonly<Record<string, string>>;
  /** The names of jobs that are known, by the tokens of their batches; what is submitted is added. */
  readonly jobIds: Map<string, string>;
  /** @throws {ReproError} `lock-lost`: nothing may be submitted or removed any more */
  readonly assertLocked: () => void;
  /** null: who has asked for it waits for the answer, and is rather told that there is none. */
  readonly patience: Patience | null;
}

/** A new name for a batch. */
export function createToken(): string {
  return randomBytes(6).toString('hex');
}

/**
 * Submits a batch. What is needed to find its job again is on disk before Slurm is asked, and its id right after.
 *
 * @param tasks of the batch, in its order
 * @param placeOf where the values of some keys of the stage are written, for messages
 * @returns null if the run ends before Slurm has taken it; where that is not known, its folder stays, for the next command to find out
 * @throws {ReproError} `slurm-refused`, `slurm-dependency-gone`, `lock-lost`, `cancelled`; without patience `slurm-unreachable` if it is not known whether
 *   it was submitted
 */
export async function submitBatch(
  context: SubmissionContext,
  planned: PlannedBatch,
  tasks: readonly BatchTask[],
  placeOf: (keys: readonly RequestKey[]) => string,
): Promise<SubmittedBatch | null> {
  const { name, comment, script, folder } = describeBatch(context, planned);
  const batch: Batch = {
    version: 1,
    token: planned.token,
    stage: planned.stage,
    name,
    comment,
    isArray: planned.isArray,
    jobId: null,
    cluster: context.facts.name,
    owner: findOwner(),
    submittedAt: new Date().toISOString(),
    selection: context.selection,
    tasks: planned.tasks,
  };
  await makeFolderSynced(folder.root);
  await assertLinks(path.join(folder.root, 'link'));
  for (const [i, { index }] of planned.tasks.entries()) {
    const task = tasks[i];
    if (task !== undefined) await folder.writeTask(index, task);
  }
  await writeFileAtomic(
    folder.environmentFile,
    renderEnvironment(context.environmentOf(planned.tasks.map(({ id }) => id))),
    // It may hold secrets.
    { mode: 0o600 },
  );
  await writeFileAtomic(folder.scriptFile, script);
  await folder.writeBatch(batch);
  const jobId = await submitSurely(context, { batch, folder }, placeOf);
  if (jobId === null) return null;
  const submitted = { ...batch, jobId };
  await folder.writeBatch(submitted);
  await noteBegun(
    context,
    planned.tasks.map(({ id }) => id),
  );
  context.jobIds.set(planned.token, jobId);
  return { batch: submitted, folder };
}

/**
 * Submits, and if there was no answer, first looks whether it was submitted. A busy controller may take up later what it did not answer, so
 * there may be several jobs in the end: which of them counts is decided by a claim, and the others end at once.
 */
async function submitSurely(
  context: SubmissionContext,
  submitted: SubmittedBatch,
  placeOf: (keys: readonly RequestKey[]) => string,
): Promise<string | null> {
  const { slurm, assertLocked, patience } = context;
  const { folder } = submitted;
  const attempts = new Attempts(patience);
  // Whether an earlier request may have been carried out.
  let isUnknown = false;
  for (;;) {
    assertLocked();
    try {
      refuseCancelled(context.jobs);
    } catch (error) {
      // Slurm may have it already: then it is found, and cancelled, by its folder.
      if (!isUnknown) await folder.remove();
      throw error;
    }
    const answer = await slurm.submit(folder.scriptFile);
    if (answer.kind === 'ok') {
      const jobId = await claim(folder.claimFile, answer.text);
      if (jobId === null) throw removedMeanwhile(folder);
      if (isUnknown || jobId !== answer.text) await cancelOthers(slurm, submitted, jobId);
      return jobId;
    }
    isUnknown ||= answer.kind === 'unknown';
    if (isUnknown) {
      const found = await lookUntilAnswered(slurm, submitted, attempts);
      if (found === null) return null;
      if (found.jobId !== null) return found.jobId;
    }
    if (answer.kind === 'unknown') {
      if (await attempts.pause(answer.text)) continue;
      return null;
    }
    if (isLimitReached(answer.text) && (await attempts.pauseAtLimit())) continue;
    // One that is taken up only now finds that it is not wanted, unless it has begun.
    const begun = isUnknown ? await claim(folder.claimFile, null) : null;
    if (begun !== null) return begun;
    assertLocked();
    await folder.remove();
    if (patience?.signal.aborted === true) return null;
    throw isDependencyGone(answer.text)
      ? new ReproError('slurm-dependency-gone', answer.text)
      : explainSubmission(answer.text, placeOf);
  }
}

/**
 * The job of a batch whose id is not on disk; null if Slurm has none so far.
 *
 * @throws {ReproError} `slurm-unreachable`
 */
export async function findAgain(slurm: Slurm, submitted: SubmittedBatch): Promise<string | null> {
  return (await lookUntilAnswered(slurm, submitted, new Attempts(null)))?.jobId ?? null;
}

/** @returns null if the run ends before there is an answer */
async function lookUntilAnswered(
  slurm: Slurm,
  submitted: SubmittedBatch,
  attempts: Attempts,
): Promise<{ readonly jobId: string | null } | null> {
  const { batch, folder } = submitted;
  for (;;) {
    const decided = readClaim(folder.claimFile);
    if (decided !== null) return { jobId: await claim(folder.claimFile, decided) };
    const found = await slurm.findJobs(batch.name, batch.comment, folder.scriptFile);
    if ('ids' in found) {
      const [first] = found.ids;
      const jobId = first === undefined ? null : await claim(folder.claimFile, first);
      if (jobId !== null) await cancelOthers(slurm, submitted, jobId);
      return { jobId };
    }
    if (!(await attempts.pause(found.problem))) return null;
  }
}

/** Jobs of a batch besides the one that counts would only take a place in the queue: they end as soon as they start, so this may fail. */
async function cancelOthers(
  slurm: Slurm,
  { batch: { name, comment }, folder }: SubmittedBatch,
  jobId: string,
): Promise<void> {
  const found = await slurm.findJobs(name, comment, folder.scriptFile);
  if ('ids' in found) await slurm.cancel(found.ids.filter((id) => id !== jobId));
}

function removedMeanwhile({ root }: BatchFolder): ReproError {
  return new ReproError('jobs-removed', 'this folder was removed while its job was submitted', {
    where: root,
    fix: 'Run again; what was submitted ends by itself.',
  });
}
