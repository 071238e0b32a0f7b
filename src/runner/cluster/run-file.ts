import fs from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import type { CacheFolder } from '../store/cache-folder.ts';
import type { PlanSelection } from './batch.ts';
import { forgetCancellation } from './cancellation.ts';
import { readStateFile } from './state-file.ts';

/** What was asked for when jobs were submitted, so that it can be gone on with: `jobs/run.json`. */
export interface SubmittedRun extends PlanSelection {
  readonly version: 1;
  /** The instances of the run. */
  readonly ids: readonly string[];
  /** Those that are to run although nothing has changed, and have not begun. */
  readonly forced: readonly string[];
  /** Those whose jobs were cancelled since, so that they are wanted no longer. */
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
  return readStateFile(fileIn(folder), folder.jobs, isSubmittedRun);
}

/**
 * Keeps what a run was asked for.
 *
 * @param isAdded whether jobs of an earlier run go on, to which this one is added
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

/** Takes note of what has begun: whoever goes on with the run does not force it again. */
export async function noteBegun(folder: JobsFolder, ids: readonly string[]): Promise<void> {
  const run = readSubmittedRun(folder);
  if (run === null || !run.forced.some((id) => ids.includes(id))) return;
  await write(folder, { ...run, forced: without(run.forced, ids) });
}

/** Takes note of what is wanted no longer. */
export async function noteCancelled(folder: CacheFolder, ids: readonly string[]): Promise<void> {
  const run = ids.length === 0 ? null : readSubmittedRun(folder);
  if (run === null) return;
  const cancelled = [...new Set([...run.cancelled, ...ids])];
  await write(folder, { ...run, forced: without(run.forced, ids), cancelled });
}

export async function removeSubmittedRun(folder: CacheFolder): Promise<void> {
  await fs.rm(fileIn(folder), { force: true });
  await forgetCancellation(folder.jobs);
  // Only if it is empty.
  await fs.rmdir(folder.jobs).catch(() => {});
}

function without(ids: readonly string[], others: readonly string[]): string[] {
  const left = new Set(others);
  return ids.filter((id) => !left.has(id));
}

function write(folder: JobsFolder, run: SubmittedRun): Promise<void> {
  return writeFileAtomic(fileIn(folder), `${JSON.stringify(run, null, 2)}\n`);
}

function fileIn(folder: JobsFolder): string {
  return path.join(folder.jobs, 'run.json');
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
