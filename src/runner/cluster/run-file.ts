import fs from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import type { CacheFolder } from '../cache/cache-folder.ts';
import type { PlanSelection } from './batch.ts';
import { readStateFile } from './state-file.ts';

/** What was asked for when jobs were submitted, so that it can be gone on with: `jobs/run.json`. */
export interface SubmittedRun extends PlanSelection {
  readonly version: 1;
  /** The instances of the run. */
  readonly ids: readonly string[];
  /** Those that were to run although nothing had changed. */
  readonly forced: readonly string[];
  readonly failFast: boolean;
}

/**
 * null if there is none.
 *
 * @throws {ReproError} `jobs-unreadable`, `jobs-damaged`
 */
export function readSubmittedRun(folder: CacheFolder): SubmittedRun | null {
  return readStateFile(fileIn(folder), folder.jobs, isSubmittedRun);
}

/**
 * Keeps what a run was asked for.
 *
 * @param isAdded whether jobs of an earlier run go on, to which this one is added
 */
export async function recordSubmittedRun(
  folder: CacheFolder,
  run: Omit<SubmittedRun, 'version'>,
  isAdded: boolean,
): Promise<void> {
  const before = isAdded ? readSubmittedRun(folder) : null;
  const all: SubmittedRun = {
    ...{ version: 1, ...run },
    ids: [...new Set([...(before?.ids ?? []), ...run.ids])],
    forced: [...new Set([...(before?.forced ?? []), ...run.forced])],
  };
  await writeFileAtomic(fileIn(folder), `${JSON.stringify(all, null, 2)}\n`);
}

export async function removeSubmittedRun(folder: CacheFolder): Promise<void> {
  await fs.rm(fileIn(folder), { force: true });
  // Only if it is empty.
  await fs.rmdir(folder.jobs).catch(() => {});
}

function fileIn(folder: CacheFolder): string {
  return path.join(folder.jobs, 'run.json');
}

function isSubmittedRun(value: unknown): value is SubmittedRun {
  if (typeof value !== 'object' || value === null) return false;
  const { version, profile, set, ids, forced, failFast } = value as Partial<SubmittedRun>;
  const areTexts = (list: unknown): boolean =>
    Array.isArray(list) && list.every((one) => typeof one === 'string');
  return (
    version === 1 &&
    (profile === null || typeof profile === 'string') &&
    [set, ids, forced].every(areTexts) &&
    typeof failFast === 'boolean'
  );
}
