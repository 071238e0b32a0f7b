import { createHash } from 'node:crypto';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import type { BatchFolder } from '../jobs/batch.ts';
import { readStateFile } from '../jobs/state-file.ts';
import type { TaskEnd } from '../jobs/task-end.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import { listFileStates } from '../store/file-states.ts';
import { settingsFile } from './cluster-settings.ts';

/** One task of a batch, and the folders from which it can resume. */
export interface ContinuedTask {
  readonly folder: BatchFolder;
  readonly index: number;
  /** Absolute. */
  readonly resume: readonly string[];
}

export function continuedTaskOf(
  { projectRoot }: Pick<Plan, 'projectRoot'>,
  { resume }: Pick<StageInstance, 'resume'>,
  folder: BatchFolder,
  index: number,
): ContinuedTask {
  return { folder, index, resume: resume.map((one) => path.resolve(projectRoot, one)) };
}

/** Whether an instance whose job's time is over continues in another job. */
export type Continued =
  /** `count`: how often it has continued, this time included. */
  | { readonly kind: 'continues'; readonly count: number }
  /** `why` continues the sentence "the job's time is over". */
  | { readonly kind: 'ends'; readonly code: 'timeout' | 'no-progress'; readonly why: string };

/** `continuation.json` in the folder of a task. */
interface Continuation {
  readonly version: 1;
  /** How often its time was over and it continued. */
  readonly count: number;
  /** What its resume folders held when its job began. */
  readonly startedFrom: string;
}

/** Records what a job starts from: when its time is over, the resume folders must have changed. */
export async function noteStart(task: ContinuedTask): Promise<void> {
  const count = readContinuation(task.folder, task.index)?.count ?? 0;
  await writeContinuation(task, count, await describeFolders(task.resume));
}

/** How often an instance has continued: in this job and in those that it replaces. */
export function countContinuations(folder: BatchFolder, index: number): number {
  return (folder.readTask(index)?.continued ?? 0) + (readContinuation(folder, index)?.count ?? 0);
}

/**
 * Decides whether an instance whose job's time is over continues in another job: it does as long as each job has saved something new, up to
 * a limit. Requeues by Slurm itself, as after a preemption, do not count.
 *
 * @param limit how often it may continue, over all jobs that replaced each other
 */
async function judgeTimeLimit({ folder, index, resume }: ContinuedTask, limit: number): Promise<Continued> {
  if (resume.length === 0) {
    return end('timeout', '', `${raise}; a stage with a resume folder continues in another job.`);
  }
  const own = readContinuation(folder, index);
  if (own === null || own.startedFrom === (await describeFolders(resume))) {
    return end(
      'no-progress',
      ', and it saved nothing: another job would not get further',
      `${raise}, or \`warning\` there if saving takes longer than that.`,
    );
  }
  const before = countContinuations(folder, index);
  if (before < limit) return { kind: 'continues', count: before + 1 };
  return end(
    'timeout',
    `, and it has continued in another job as often as allowed (${limit}); its saved work is kept`,
    `Run again to continue; or raise \`continuations\` or \`time\` in ${settingsFile}.`,
  );
}

/**
 * As {@link judgeTimeLimit}, for a job that is over: it was killed before it saved its work, or Slurm did not requeue it.
 *
 * @param end its own report
 */
export async function judgeEnded(
  end: TaskEnd | null,
  task: ContinuedTask,
  limit: number,
): Promise<Continued> {
  const hasCounted = end?.kind === 'interrupted' && end.because === 'time';
  if (!hasCounted) return judgeTimeLimit(task, limit);
  return { kind: 'continues', count: countContinuations(task.folder, task.index) };
}

/** As {@link judgeTimeLimit}, and counts it: the same job is requeued. */
export async function continueInQueue(task: ContinuedTask, limit: number): Promise<Continued> {
  const continued = await judgeTimeLimit(task, limit);
  if (continued.kind === 'ends') return continued;
  const count = readContinuation(task.folder, task.index)?.count ?? 0;
  await writeContinuation(task, count + 1, await describeFolders(task.resume));
  return continued;
}

const raise = `Raise its \`time\` in ${settingsFile}`;

function end(code: 'timeout' | 'no-progress', reason: string, fix: string): Continued {
  return { kind: 'ends', code, why: `${reason}\n  ${fix}` };
}

/** A digest of the files below these folders by size and time, without reading them: they may be large. */
async function describeFolders(folders: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const [i, folder] of folders.entries()) {
    for (const file of await listFileStates(folder)) {
      hash.update(`${i} ${file.path} ${file.sizeBytes} ${file.changedNs}\n`);
    }
  }
  return hash.digest('hex');
}

function fileOf(folder: BatchFolder, index: number): string {
  return path.join(folder.taskFolder(index), 'continuation.json');
}

/** Does nothing if the folder is gone: then no command waits for the task. */
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

/** null if its job has never started the stage. */
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
