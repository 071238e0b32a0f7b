import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { type BatchFolder, findBatches } from './batch.ts';
import { settingsFile } from './settings.ts';
import { readStateFile } from './state-file.ts';

/** One task of a batch, and what it can go on from. */
export interface ContinuedTask {
  readonly folder: BatchFolder;
  readonly index: number;
  readonly id: string;
  /** Absolute. */
  readonly resume: readonly string[];
}

/** Whether an instance whose job's time is over goes on in another. */
export type Continued =
  /** `count`: this one included. */
  | { readonly kind: 'goes-on'; readonly count: number }
  /** `why` goes on from "the job's time is over". */
  | { readonly kind: 'ends'; readonly code: 'timeout' | 'no-progress'; readonly why: string };

/** In the folder of a task: `continuation.json`. */
interface Continuation {
  readonly version: 1;
  /** How often its time was over, and it was to go on. */
  readonly count: number;
  /** What its resume folders held when its job began. */
  readonly startedFrom: string;
}

/** Takes note of what a job begins with: if its time is over, there has to be something else. */
export async function noteStart(task: ContinuedTask): Promise<void> {
  const count = readContinuation(task.folder, task.index)?.count ?? 0;
  await writeContinuation(task, count, await describeFolders(task.resume));
}

/**
 * Decides whether an instance whose job's time is over goes on in another job, and counts that. It does as long as each has got further, up
 * to a limit; how often Slurm itself has put its jobs back into the queue, as after a preemption, does not count.
 *
 * @param limit how often one run may do so, over all jobs of the instance
 */
export async function continueAfterTimeLimit(task: ContinuedTask, limit: number): Promise<Continued> {
  const { folder, index, id, resume } = task;
  if (resume.length === 0) {
    return end('timeout', '', 'Raise its time limit; a stage with a resume folder goes on in another job.');
  }
  const own = readContinuation(folder, index);
  const now = await describeFolders(resume);
  if (own === null || own.startedFrom === now) {
    return end(
      'no-progress',
      ', and nothing has been saved since it began: another job would not get further',
      `Raise its time limit, or \`warning\` in ${settingsFile} if saving takes longer than that.`,
    );
  }
  const before = countContinuations(path.dirname(folder.root), id);
  if (before >= limit) {
    return end(
      'timeout',
      `, and it has gone on in another job as often as it may (${limit}); what was saved is kept`,
      `Run again to go on; raise its time limit, or \`continuations\` in ${settingsFile}.`,
    );
  }
  await writeContinuation(task, own.count + 1, now);
  return { kind: 'goes-on', count: before + 1 };
}

function end(code: 'timeout' | 'no-progress', reason: string, fix: string): Continued {
  return { kind: 'ends', code, why: `${reason}\n  ${fix}` };
}

/** Over all jobs of an instance in this run: where one could not be put back into the queue, another took its place. */
function countContinuations(jobs: string, id: string): number {
  return findBatches(jobs)
    .batches.flatMap(({ batch, folder }) =>
      batch.tasks
        .filter((task) => task.id === id)
        .map(({ index }) => readContinuation(folder, index)?.count ?? 0),
    )
    .reduce((sum, count) => sum + count, 0);
}

/** Says of the files below these folders whether they are others than before, without reading them: they may be large. */
async function describeFolders(folders: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const [i, folder] of folders.entries()) {
    for (const file of await listFiles(folder)) {
      const { size, mtimeNs } = await fs.lstat(file, { bigint: true });
      hash.update(`${i} ${path.relative(folder, file)} ${size} ${mtimeNs}\n`);
    }
  }
  return hash.digest('hex');
}

async function listFiles(folder: string): Promise<string[]> {
  try {
    const entries = await fs.readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .sort();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  }
}

function fileOf(folder: BatchFolder, index: number): string {
  return path.join(folder.taskFolder(index), 'continuation.json');
}

/** Does nothing if the folder is gone: nobody waits for it any more. */
async function writeContinuation(
  { folder, index }: ContinuedTask,
  count: number,
  startedFrom: string,
): Promise<void> {
  const continuation: Continuation = { version: 1, count, startedFrom };
  try {
    await writeFileAtomic(fileOf(folder, index), `${JSON.stringify(continuation)}\n`, { makesFolder: false });
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
}

/** null if its job has never begun the stage. */
function readContinuation(folder: BatchFolder, index: number): Continuation | null {
  return readStateFile(fileOf(folder, index), folder.root, isContinuation);
}

function isContinuation(value: unknown): value is Continuation {
  if (typeof value !== 'object' || value === null) return false;
  const { version, count, startedFrom } = value as Partial<Continuation>;
  return (
    version === 1 && Number.isSafeInteger(count) && (count ?? -1) >= 0 && typeof startedFrom === 'string'
  );
}
