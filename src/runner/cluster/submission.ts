import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ReproError } from '../../errors.ts';
import { escapePattern } from '../../executors/slurm/job-options.ts';
import { renderEnvironment, renderJobScript } from '../../executors/slurm/job-script.ts';
import { nameJob } from '../../executors/slurm/job-state.ts';
import { type ClusterFacts, type Slurm, unreachable } from '../../executors/slurm/slurm.ts';
import { explainSubmission, isDependencyGone } from '../../executors/slurm/submission-errors.ts';
import { makeFolderSynced, writeFileAtomic } from '../../files/atomic-file.ts';
import { type Batch, BatchFolder, type BatchTask, type PlanSelection, type SubmittedBatch } from './batch.ts';
import { refuseCancelled } from './cancellation.ts';
import { assertLinks, claim, readClaim } from './claim.ts';
import type { Dependency, PlannedBatch } from './grouping.ts';
import { findOwner } from './owner.ts';
import { noteBegun } from './run-file.ts';
import type { ClusterSettings } from './settings.ts';

/** Waits between attempts to find out what became of a submission that got no answer. */
const retryAfterMs = [2_000, 5_000, 10_000];

/** What all submissions of one run share. */
export interface SubmissionContext {
  readonly slurm: Slurm;
  readonly facts: ClusterFacts;
  readonly settings: ClusterSettings;
  readonly selection: PlanSelection;
  /** The cache's folder of jobs. */
  readonly jobs: string;
  readonly projectRoot: string;
  /** Words that start the runner on a node: Node.js and the program. */
  readonly runner: readonly string[];
  /** Everything that the jobs of a batch see. */
  readonly environmentOf: (ids: readonly string[]) => Readonly<Record<string, string>>;
  /** The names of jobs that are known, by the tokens of their batches. */
  readonly jobIds: Map<string, string>;
}

/** A new name for a batch. */
export function createToken(): string {
  return randomBytes(6).toString('hex');
}

/** The script of a batch, and how Slurm knows it by name. */
export function describeBatch(
  context: Omit<SubmissionContext, 'slurm' | 'facts' | 'environmentOf' | 'selection'>,
  planned: PlannedBatch,
): {
  readonly name: string;
  readonly comment: string;
  readonly script: string;
  readonly folder: BatchFolder;
} {
  const { settings, projectRoot, runner } = context;
  const { token, stage, request, mutex, isArray, tasks } = planned;
  const folder = new BatchFolder(path.join(context.jobs, token));
  const name = mutex === null ? `${stage}.${token}` : `mutex.${mutex}`;
  const comment = `repro:${token}`;
  const { arrayLimit: _, ...options } = request;
  const script = renderJobScript({
    options: {
      ...options,
      name,
      comment,
      array: isArray ? { indices: tasks.map(({ index }) => index), atOnce: planned.atOnce } : null,
      dependencies: [
        ...planned.dependencies.map((one) => writeDependency(one, context.jobIds)),
        // Jobs of one name, one after the other.
        ...(mutex === null ? [] : ['singleton']),
      ],
      logPattern: `${escapePattern(folder.root)}/slurm-${isArray ? '%a' : (tasks[0]?.index ?? 0)}.log`,
    },
    about: tasks.map(({ index, id }) => `${index}: ${id.replaceAll(/\p{Cc}/gu, ' ')}`),
    proofFile: folder.batchFile,
    environmentFile: folder.environmentFile,
    tasksFolder: path.join(folder.root, 'tasks'),
    projectRoot,
    prelude: settings.prelude,
    command: [...settings.command, ...runner, 'stage-job', folder.root],
    ...(isArray ? {} : { index: tasks[0]?.index ?? 0 }),
  });
  return { name, comment, script, folder };
}

function writeDependency(dependency: Dependency, jobIds: ReadonlyMap<string, string>): string {
  const job = jobIds.get(dependency.batch) ?? `<${dependency.batch}>`;
  switch (dependency.kind) {
    case 'whole':
      return `afterok:${job}`;
    case 'ended':
      return `afterany:${job}`;
    case 'same-index':
      return `aftercorr:${job}`;
    case 'task':
      return `afterok:${nameJob(job, dependency.index)}`;
  }
}

/**
 * Submits a batch. What is needed to find its job again is on disk before Slurm is asked, and its id right after.
 *
 * @param tasks of the batch, in its order
 * @param where where the stage is written, for messages
 * @throws {ReproError} `slurm-refused`; `slurm-unreachable` if it is not known whether it was submitted
 */
export async function submitBatch(
  context: SubmissionContext,
  planned: PlannedBatch,
  tasks: readonly BatchTask[],
  where: string,
): Promise<SubmittedBatch> {
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
  try {
    refuseCancelled(context.jobs);
  } catch (error) {
    await folder.remove();
    throw error;
  }
  const jobId = await submitSurely(context.slurm, { batch, folder }, where);
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
async function submitSurely(slurm: Slurm, submitted: SubmittedBatch, where: string): Promise<string> {
  const { batch, folder } = submitted;
  for (let count = 0; ; count += 1) {
    const answer = await slurm.submit(folder.scriptFile);
    if (answer.kind === 'ok') {
      const jobId = await claim(folder.claimFile, answer.text);
      if (jobId === null) throw removedMeanwhile(folder);
      if (count > 0 || jobId !== answer.text) await cancelOthers(slurm, batch, jobId);
      return jobId;
    }
    const isFirst = count === 0;
    if (answer.kind === 'unknown' || !isFirst) {
      const jobId = await findAgain(slurm, submitted);
      if (jobId !== null) return jobId;
    }
    if (answer.kind === 'refused') {
      // One that is taken up only now finds that it is not wanted, unless it has begun.
      const begun = isFirst ? null : await claim(folder.claimFile, null);
      if (begun !== null) return begun;
      await folder.remove();
      throw isDependencyGone(answer.text)
        ? new ReproError('slurm-dependency-gone', answer.text)
        : explainSubmission(answer.text, where);
    }
    const pauseMs = retryAfterMs[count];
    if (pauseMs === undefined) throw unreachable(answer.text);
    await wait(pauseMs);
  }
}

/**
 * The job of a batch whose id is not on disk; null if Slurm has none so far.
 *
 * @throws {ReproError} `slurm-unreachable`
 */
export async function findAgain(slurm: Slurm, { batch, folder }: SubmittedBatch): Promise<string | null> {
  const decided = readClaim(folder.claimFile);
  if (decided !== null) return claim(folder.claimFile, decided);
  const [first] = await findJobs(slurm, batch);
  if (first === undefined) return null;
  const jobId = await claim(folder.claimFile, first);
  if (jobId !== null) await cancelOthers(slurm, batch, jobId);
  return jobId;
}

/** Jobs of a batch besides the one that counts would only take a place in the queue: they end as soon as they start, so this may fail. */
async function cancelOthers(slurm: Slurm, { name, comment }: Batch, jobId: string): Promise<void> {
  const found = await slurm.findJobs(name, comment);
  if ('ids' in found) await slurm.cancel(found.ids.filter((id) => id !== jobId));
}

async function findJobs(slurm: Slurm, { name, comment }: Batch): Promise<readonly string[]> {
  let problem = '';
  for (const pauseMs of [0, ...retryAfterMs]) {
    await wait(pauseMs);
    const found = await slurm.findJobs(name, comment);
    if ('ids' in found) return found.ids;
    problem = found.problem;
  }
  throw unreachable(problem);
}

function removedMeanwhile({ root }: BatchFolder): ReproError {
  return new ReproError('jobs-removed', 'this folder was removed while its job was submitted', {
    where: root,
    fix: 'Run again; what was submitted ends by itself.',
  });
}
