import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import type { Plan } from '../plan/plan.ts';
import type { CacheFolder } from '../store/cache-folder.ts';
import type { Batch, PlacedJob, PlanSelection, SubmittedBatch } from './batch.ts';
import { listBatches } from './jobs-folder.ts';
import { readStateFile } from './state-file.ts';
import { hasEnded } from './task-end.ts';

/** What a run that submitted jobs was asked for, so that a later command can continue it: `jobs/run.json`. */
interface SubmittedRun extends PlanSelection {
  readonly version: 1;
  /** The instances of the run. */
  readonly ids: readonly string[];
  /** Those that run even if nothing has changed, and have not begun. */
  readonly forced: readonly string[];
  /** Those whose jobs were cancelled, and which are no longer wanted. */
  readonly cancelled: readonly string[];
  readonly failFast: boolean;
}

type JobsFolder = Pick<CacheFolder, 'jobs'>;

/**
 * null if there is none.
 *
 * @throws {ReproError} `jobs-unreadable`, `jobs-damaged`
 */
export function readSubmittedRun(folder: JobsFolder): SubmittedRun | null {
  return readStateFile(runFileIn(folder), folder.jobs, isSubmittedRun);
}

/**
 * Records what a run was asked for.
 *
 * @param isAdded whether jobs of an earlier run are still under way: this run is then added to that one
 */
export async function recordSubmittedRun(
  folder: CacheFolder,
  run: Omit<SubmittedRun, 'version' | 'cancelled'>,
  isAdded: boolean,
): Promise<void> {
  const before = isAdded ? readSubmittedRun(folder) : null;
  await write(folder, {
    ...{ version: 1, ...run },
    ids: [...new Set([...(before?.ids ?? []), ...run.ids])],
    forced: [...new Set([...(before?.forced ?? []), ...run.forced])],
    cancelled: without(before?.cancelled ?? [], run.ids),
  });
}

/** Records which instances have begun: a command that continues the run does not force them again. */
export async function noteBegun(folder: JobsFolder, ids: readonly string[]): Promise<void> {
  const run = readSubmittedRun(folder);
  if (run === null || !run.forced.some((id) => ids.includes(id))) return;
  await write(folder, { ...run, forced: without(run.forced, ids) });
}

/** Records which instances are no longer wanted. */
export async function noteCancelled(folder: CacheFolder, ids: readonly string[]): Promise<void> {
  const run = ids.length === 0 ? null : readSubmittedRun(folder);
  if (run === null) return;
  const cancelled = [...new Set([...run.cancelled, ...ids])];
  await write(folder, { ...run, forced: without(run.forced, ids), cancelled });
}

export async function removeSubmittedRun(folder: CacheFolder): Promise<void> {
  await fs.rm(runFileIn(folder), { force: true });
  await forgetCancellation(folder.jobs);
  // Only if it is empty.
  await fs.rmdir(folder.jobs).catch(() => {});
}

/** What is left to do of a run that an earlier command began. */
interface RestOfRun {
  readonly selected: ReadonlySet<string>;
  /** Those that run even if nothing has changed. */
  readonly forced: ReadonlySet<string>;
}

/**
 * Selects what an earlier command was asked for and the plan still has, without what was cancelled since. What depends on a cancelled
 * instance is left out, too, unless it has a job of its own.
 *
 * @param batches the earliest first
 */
export function selectRest(
  { instances, dependencies }: Pick<Plan, 'instances' | 'dependencies'>,
  run: SubmittedRun,
  batches: readonly SubmittedBatch[],
): RestOfRun {
  /** Whether the latest job of an instance was forced to run. */
  const isJobForced = new Map(
    batches.flatMap(({ batch, folder }) =>
      batch.tasks.map(({ id, index }) => [id, folder.readTask(index)?.isForced === true] as const),
    ),
  );
  const unwanted = new Set(run.cancelled);
  for (const id of instances.keys()) {
    const waitsInVain = dependencies.get(id)?.some((one) => unwanted.has(one)) === true;
    if (waitsInVain && !isJobForced.has(id)) unwanted.add(id);
  }
  const selected = new Set(run.ids.filter((id) => instances.has(id) && !unwanted.has(id)));
  const forced = new Set([...selected].filter((id) => isJobForced.get(id) ?? run.forced.includes(id)));
  return { selected, forced };
}

/**
 * Removes the folders of jobs that a run has followed to their end or cancelled. Other jobs of earlier commands keep theirs: they are still
 * under way, or no command has reported their end yet.
 *
 * @param ids of the run
 * @param jobs of the run, the latest of each instance
 * @param endFiles of jobs that had ended before the run, as `ExistingJobs.endFiles`
 */
export async function removeFinishedBatches(
  { folder, plan }: { readonly folder: CacheFolder; readonly plan: Pick<Plan, 'instances' | 'dependencies'> },
  ids: readonly string[],
  jobs: ReadonlyMap<string, PlacedJob>,
  endFiles: ReadonlySet<string>,
): Promise<void> {
  const run = readSubmittedRun(folder);
  const own = new Set([...ids, ...(run?.cancelled ?? [])]);
  /** No later command will report an instance that the plan no longer has. */
  const isReported = (id: string): boolean => own.has(id) || !plan.instances.has(id);
  /** Whether its job was followed to its end, was cancelled, or has been replaced by a later job. */
  const isSettled = (id: string, { token, submittedAt }: Batch): boolean => {
    const latest = jobs.get(id)?.submitted.batch;
    // A batch later than the latest job is a submission that Slurm did not answer: its job may be at work.
    return latest !== undefined && (latest.token === token || submittedAt < latest.submittedAt);
  };
  const isOver = ({ batch, folder: files }: SubmittedBatch): boolean =>
    batch.jobId !== null &&
    batch.tasks.every(
      ({ id, index }) =>
        isReported(id) &&
        (isSettled(id, batch) || endFiles.has(files.endFile(index)) || hasEnded(files.readEnd(index))),
    );
  const batches = listBatches(folder.jobs);
  const over = batches.filter(isOver);
  for (const one of over) await one.folder.remove();
  if (over.length < batches.length) return;
  const rest = run === null ? [] : [...selectRest(plan, run, []).selected];
  if (rest.every((id) => own.has(id))) await removeSubmittedRun(folder);
}

/**
 * Tells a run that is under way to submit nothing more: `jobs/cancelled`. The cancelling command looks for jobs only after it has written
 * this file, and the run looks for the file only after a batch is on disk, so one of them finds every job.
 *
 * @returns false if nothing was submitted here, so no run of jobs is under way
 */
export async function markCancelled(jobs: string): Promise<boolean> {
  try {
    await fs.writeFile(cancellationFileIn(jobs), '');
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** @throws {ReproError} `cancelled` if this run was told to submit nothing more */
export function refuseCancelled(jobs: string): void {
  if (!existsSync(cancellationFileIn(jobs))) return;
  throw new ReproError('cancelled', 'this run was cancelled by `./repro cancel`', {
    fix: 'Nothing more is submitted. Run again to continue.',
  });
}

/** Lets the next run submit again. */
export async function forgetCancellation(jobs: string): Promise<void> {
  await fs.rm(cancellationFileIn(jobs), { force: true });
}

function without(ids: readonly string[], others: readonly string[]): string[] {
  const left = new Set(others);
  return ids.filter((id) => !left.has(id));
}

function write(folder: JobsFolder, run: SubmittedRun): Promise<void> {
  return writeFileAtomic(runFileIn(folder), `${JSON.stringify(run, null, 2)}\n`);
}

function runFileIn({ jobs }: JobsFolder): string {
  return path.join(jobs, 'run.json');
}

function cancellationFileIn(jobs: string): string {
  return path.join(jobs, 'cancelled');
}

function isSubmittedRun(value: unknown): value is SubmittedRun {
  if (typeof value !== 'object' || value === null) return false;
  const { version, profile, set, ids, forced, cancelled, failFast } = value as Partial<SubmittedRun>;
  const areTexts = (list: unknown): boolean =>
    Array.isArray(list) && list.every((one) => typeof one === 'string');
  return (
    version === 1 &&
    (profile === null || typeof profile === 'string') &&
    [set, ids, forced, cancelled].every(areTexts) &&
    typeof failFast === 'boolean'
  );
}
