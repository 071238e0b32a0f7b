import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ReproError } from '../../errors.ts';
import { renderEnvironment } from '../../executors/slurm/job-script.ts';
import { type ClusterFacts, type Slurm, unreachable } from '../../executors/slurm/slurm.ts';
import {
  explainSubmission,
  isDependencyGone,
  isLimitReached,
  type RequestKey,
} from '../../executors/slurm/submission-errors.ts';
import { makeFolderSynced, writeFileAtomic } from '../../files/atomic-file.ts';
import {
  type Batch,
  type BatchFolder,
  type BatchTask,
  findOwner,
  hidden,
  isOwn,
  type PlanSelection,
  type SubmittedBatch,
} from '../jobs/batch.ts';
import { assertLinks, claim, readClaim } from '../jobs/claim.ts';
import { noteBegun, refuseCancelled } from '../jobs/submitted-run.ts';
import { describeBatch, type ScriptContext } from './batch-script.ts';
import type { PlannedBatch } from './grouping.ts';

/** The context of all submissions of one run. */
export interface SubmissionContext extends ScriptContext {
  readonly slurm: Slurm;
  readonly facts: ClusterFacts;
  readonly selection: PlanSelection;
  /** The environment that the jobs of a batch see. */
  readonly environmentOf: (ids: readonly string[]) => Readonly<Record<string, string>>;
  /** Ids of known jobs, by the tokens of their batches; new submissions are added. */
  readonly jobIds: Map<string, string>;
  /** @throws {ReproError} `lock-lost`: nothing may be submitted or removed any more */
  readonly assertLocked: () => void;
  /** null: do not wait long for Slurm, but report that it does not answer. */
  readonly patience: Patience | null;
}

/** How a run waits while Slurm does not answer, or accepts no more jobs. */
export interface Patience {
  /** The longest wait between two calls. */
  readonly pollSeconds: number;
  /** Aborting ends the waiting. */
  readonly signal: AbortSignal;
  /** Called once if it takes long. */
  readonly onPause: (why: string) => void;
}

/** A new token for a batch. */
export function createToken(): string {
  return randomBytes(6).toString('hex');
}

/**
 * Submits a batch. What is needed to find its job again is on disk before Slurm is called, its id right after.
 *
 * @param tasks of the batch, in its order
 * @param placeOf where the values of some keys of the stage are written, for messages
 * @returns null if the run ends before Slurm has accepted it; if that is unknown, its folder stays, and the next command finds out
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
 * Submits. After a call without an answer, it first checks whether the job was submitted. A busy controller may accept a job later, so there
 * may be several in the end: a claim decides which one counts, and the others end at once.
 */
async function submitSurely(
  context: SubmissionContext,
  submitted: SubmittedBatch,
  placeOf: (keys: readonly RequestKey[]) => string,
): Promise<string | null> {
  const { slurm, assertLocked, patience } = context;
  const { folder } = submitted;
  const retry = new SlurmRetry(patience);
  // Whether Slurm may have accepted an earlier call.
  let isUnknown = false;
  for (;;) {
    assertLocked();
    try {
      refuseCancelled(context.jobs);
    } catch (error) {
      // If Slurm may have the job, the folder stays: the cancelling command finds the job by it.
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
      const found = await lookUntilAnswered(slurm, submitted, retry);
      if (found === null) return null;
      if (found.jobId !== null) return found.jobId;
    }
    if (answer.kind === 'unknown') {
      if (await retry.pause(answer.text)) continue;
      return null;
    }
    if (isLimitReached(answer.text) && (await retry.pauseAtLimit())) continue;
    // A job that Slurm accepts from now on ends at once; one that has started counts.
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
 * Finds the job of a batch whose runner was killed before it recorded the id. If Slurm has none, the batch is removed, and a job that Slurm
 * accepts later ends at once.
 *
 * @returns null if it has none
 * @throws {ReproError} `slurm-unreachable`; `locked` if another user submitted it, and Slurm does not show it
 */
export async function recoverBatch(slurm: Slurm, submitted: SubmittedBatch): Promise<SubmittedBatch | null> {
  const { batch, folder } = submitted;
  if (batch.jobId !== null) return submitted;
  const found = await findAgain(slurm, submitted);
  if (found === null && !isOwn(batch.owner)) throw hidden(null, batch.owner, folder.root);
  const jobId = found ?? (await claim(folder.claimFile, null));
  if (jobId === null) {
    await folder.remove();
    return null;
  }
  const recovered = { ...batch, jobId };
  await folder.writeBatch(recovered);
  return { batch: recovered, folder };
}

/**
 * Finds the job of a batch whose id is not on disk; null if Slurm has none so far.
 *
 * @throws {ReproError} `slurm-unreachable`
 */
export async function findAgain(slurm: Slurm, submitted: SubmittedBatch): Promise<string | null> {
  return (await lookUntilAnswered(slurm, submitted, new SlurmRetry(null)))?.jobId ?? null;
}

/** @returns null if the run ends before there is an answer */
async function lookUntilAnswered(
  slurm: Slurm,
  submitted: SubmittedBatch,
  retry: SlurmRetry,
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
    if (!(await retry.pause(found.problem))) return null;
  }
}

/** Cancels the jobs of a batch that do not count. If this fails, they end as soon as they start. */
async function cancelOthers(
  slurm: Slurm,
  { batch: { name, comment }, folder }: SubmittedBatch,
  jobId: string,
): Promise<void> {
  const found = await slurm.findJobs(name, comment, folder.scriptFile);
  if ('ids' in found) await slurm.cancel(found.ids.filter((id) => id !== jobId));
}

function removedMeanwhile({ root }: BatchFolder): ReproError {
  return new ReproError('jobs-removed', 'this folder was removed while its job was being submitted', {
    where: root,
    fix: 'Run again. The submitted job ends by itself.',
  });
}

/** The waits before the first retries. */
const firstAfterMs = [2_000, 5_000, 10_000];

/** Waits between repeated calls of Slurm about one submission. */
class SlurmRetry {
  readonly #patience: Patience | null;
  #count = 0;
  #isTold = false;

  /** @param patience null: it is an error after a few retries */
  constructor(patience: Patience | null) {
    this.#patience = patience;
  }

  /**
   * Waits before the next attempt.
   *
   * @param problem what Slurm said to the last one
   * @returns false once the run ends
   * @throws {ReproError} `slurm-unreachable` without patience
   */
  async pause(problem: string): Promise<boolean> {
    const afterMs = firstAfterMs[this.#count];
    this.#count += 1;
    if (this.#patience === null) {
      if (afterMs === undefined) throw unreachable(problem);
      await wait(afterMs);
      return true;
    }
    const { pollSeconds, signal } = this.#patience;
    if (afterMs === undefined) {
      const [said] = problem.split('\n', 1);
      this.#tell(
        `Slurm does not answer (${said}): unknown whether this job was submitted; asking again every ${pollSeconds} s`,
      );
    }
    await wait(Math.min(afterMs ?? Number.POSITIVE_INFINITY, pollSeconds * 1000), undefined, {
      signal,
    }).catch(() => {});
    return !signal.aborted;
  }

  /**
   * Waits before the next attempt while Slurm accepts no more jobs of this user.
   *
   * @returns false without patience, and once the run ends
   */
  async pauseAtLimit(): Promise<boolean> {
    if (this.#patience === null) return false;
    const { pollSeconds, signal } = this.#patience;
    this.#tell(
      `waiting: you have reached your limit of submitted jobs; trying again every ${pollSeconds} s. ` +
        'If this array is larger than the limit itself, lower `arraySize` in configs/executors/slurm.yaml',
    );
    await wait(pollSeconds * 1000, undefined, { signal }).catch(() => {});
    return !signal.aborted;
  }

  #tell(why: string): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#patience?.onPause(why);
  }
}
