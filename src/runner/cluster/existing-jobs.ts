import { readdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { ReproError } from '../../errors.ts';
import type { JobStatus } from '../../executors/slurm/job-state.ts';
import { type ClusterFacts, type Slurm, unreachable } from '../../executors/slurm/slurm.ts';
import { type BatchTask, jobOf, listBatches, type PlanSelection, type SubmittedBatch } from './batch.ts';
import { hidden, isOwn } from './owner.ts';
import { recoverBatch } from './recovery.ts';
import { damaged, unreadable } from './state-file.ts';
import { hasEnded } from './task-end.ts';
import { type Before, judge, type Verdict } from './verdict.ts';

/** The latest job of an instance, from an earlier command. */
export interface ExistingJob {
  readonly submitted: SubmittedBatch;
  readonly index: number;
  readonly task: BatchTask;
  /** What has become of it by now, by its own word or by Slurm's. */
  readonly verdict: Verdict;
}

/** The jobs that earlier commands have submitted. */
export interface ExistingJobs {
  /** The latest of each instance. */
  readonly latest: ReadonlyMap<string, ExistingJob>;
  /** Where those would say how they ended that have ended by their own word or by Slurm's: earlier ones, too. */
  readonly endFiles: ReadonlySet<string>;
}

/** What has to be known about a cluster and a run to find its jobs. */
export interface JobSearch {
  readonly slurm: Slurm;
  readonly cluster: Pick<ClusterFacts, 'name' | 'hasAccounting'>;
  readonly selection: PlanSelection;
}

type OpenJob = Omit<ExistingJob, 'verdict'>;

/**
 * Finds the jobs that earlier commands have submitted, and what has become of them. The id of one whose submitter was killed before it was
 * on disk is asked for; if Slurm has no such job, there is none.
 *
 * @throws {ReproError} `locked` if some that have not ended belong to another profile, or to other `--set`; `slurm-cluster` if to another
 *   cluster; `jobs-unreadable`, `jobs-damaged`, `slurm-unreachable`
 */
export async function findExistingJobs(
  jobs: string,
  { slurm, cluster, selection }: JobSearch,
): Promise<ExistingJobs> {
  const all: OpenJob[] = [];
  for (const submitted of listBatches(jobs)) {
    const known = await recoverBatch(slurm, submitted);
    if (known !== null) all.push(...listTasks(known));
  }
  const open = all.filter(({ submitted, index }) => !hasEnded(submitted.folder.readEnd(index)));
  for (const { submitted } of open) assertCluster(submitted, cluster.name);
  const states = await slurm.readStates(open.map(nameOf), cluster.hasAccounting);
  if ('problem' in states) throw unreachable(states.problem);
  const found = new Map<string, ExistingJob>();
  const verdicts = new Map<string, Verdict>();
  for (const one of all) {
    const isLost = one.task.after.some(({ endFile }) => isBad(verdicts.get(endFile)));
    const verdict = judgeNow(one, states.stateOf(nameOf(one)), isLost ? 'failed' : 'fine');
    verdicts.set(one.submitted.folder.endFile(one.index), verdict);
    if (verdict.kind === 'wait') assertSelection(one.submitted, selection);
    found.set(one.task.id, { ...one, verdict });
  }
  const endFiles = [...verdicts].filter(([, { kind }]) => kind !== 'wait').map(([file]) => file);
  return { latest: found, endFiles: new Set(endFiles) };
}

/** One that ended well has left its result, even if that does not appear here yet: whoever follows it waits for that. */
function judgeNow(one: OpenJob, status: JobStatus | 'absent' | null, before: Before): Verdict {
  const { submitted, index } = one;
  listFolder(submitted.folder.taskFolder(index));
  const end = submitted.folder.readEnd(index);
  const { owner } = submitted.batch;
  if (status === 'absent' && !hasEnded(end) && !isOwn(owner)) {
    throw hidden(nameOf(one), owner, submitted.folder.root);
  }
  const verdict = judge({ job: nameOf(one), end, status, silentSeconds: 0, patienceSeconds: 0, before });
  return verdict.kind === 'failed' && verdict.code === 'no-result' ? { kind: 'wait' } : verdict;
}

/** Makes NFS ask the server for what has appeared in a folder. */
function listFolder(folder: string): void {
  try {
    readdirSync(folder);
  } catch (error) {
    throw unreadable(folder, error);
  }
}

function isBad(verdict: Verdict | undefined): boolean {
  return verdict?.kind === 'failed' || verdict?.kind === 'dropped';
}

function nameOf({ submitted, index }: OpenJob): string {
  return jobOf(submitted.batch, index) ?? '';
}

function listTasks(submitted: SubmittedBatch): OpenJob[] {
  return submitted.batch.tasks.map(({ index }) => {
    const task = submitted.folder.readTask(index);
    if (task !== null) return { submitted, index, task };
    throw damaged(submitted.folder.taskFolder(index), submitted.folder.root, 'has lost a file', {
      isFound: true,
    });
  });
}

/** @throws {ReproError} `slurm-cluster` if it was submitted to another one */
export function assertCluster({ batch, folder }: SubmittedBatch, cluster: string): void {
  if (batch.cluster === cluster) return;
  throw new ReproError(
    'slurm-cluster',
    `job ${batch.jobId} was submitted to cluster "${batch.cluster}", and this is "${cluster}"`,
    { where: folder.root, fix: `Go on from a machine of "${batch.cluster}".` },
  );
}

function assertSelection({ batch, folder }: SubmittedBatch, selection: PlanSelection): void {
  if (isDeepStrictEqual(batch.selection, selection)) return;
  const { profile, set } = batch.selection;
  const words = [`--profile ${profile ?? '(default)'}`, ...set.map((one) => `--set ${one}`)].join(' ');
  throw new ReproError('locked', `jobs of another run work in this folder: ${batch.jobId} of ${words}`, {
    where: folder.root,
    fix: 'Wait for them with `npx repro attach`, or end them with `npx repro cancel`.',
  });
}
