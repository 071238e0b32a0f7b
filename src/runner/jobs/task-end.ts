import { readFileSync } from 'node:fs';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';
import { refusalFileName } from '../../executors/slurm/job-script.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { isSha256 } from '../../files/canonical-json.ts';
import { unreadable } from './state-file.ts';

/** How a job ended, as it reports itself: `tasks/<index>/end.json`. */
export type TaskEnd = {
  readonly version: 1;
  /** `12`, or `12_3` in an array. */
  readonly job: string;
  readonly node: string;
} & (
  | { readonly kind: 'done' | 'hit'; readonly fingerprint: string }
  | { readonly kind: 'failed'; readonly code: string; readonly text: string }
  /** Slurm told it to end, and knows why. */
  | {
      readonly kind: 'interrupted';
      /**
       * It saved its work and asks for another place in the queue. `time`: its time was nearly over; `room`: it was warned that it must make
       * room for another job.
       */
      readonly because?: 'time' | 'room';
      /** Why Slurm did not put the job back into the queue, as recorded by its script. */
      readonly refusal?: string;
    }
);

/**
 * null if there is no complete one: each is written in one step, so it may still follow.
 *
 * @throws {ReproError} `jobs-unreadable`: it may exist
 */
export function readTaskEnd(file: string): TaskEnd | null {
  const value = parse(readIfThere(file) ?? '');
  if (!isTaskEnd(value)) return null;
  if (value.kind !== 'interrupted') return value;
  const refusal = readIfThere(refusalFileOf(file));
  return refusal === null ? value : { ...value, refusal: refusal.trim() };
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    // ESTALE: on NFS, another node has just replaced it; the next look finds the new one.
    if (hasErrorCode(error, 'ENOENT', 'ESTALE')) return null;
    throw unreadable(file, error);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The file in which the job's script records why Slurm did not put it back into the queue. */
function refusalFileOf(endFile: string): string {
  return path.join(path.dirname(endFile), refusalFileName);
}

/** Whether a task has ended for good. One that Slurm told to end may be put back into the queue. */
export function hasEnded(end: TaskEnd | null): end is Exclude<TaskEnd, { kind: 'interrupted' }> {
  return end !== null && end.kind !== 'interrupted';
}

/** Does nothing if the folder is gone: then no command waits for the task. */
export async function writeTaskEnd(file: string, end: TaskEnd): Promise<void> {
  try {
    await writeFileAtomic(file, `${JSON.stringify(end)}\n`, { makesFolder: false });
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
}

function isTaskEnd(value: unknown): value is TaskEnd {
  if (typeof value !== 'object' || value === null) return false;
  const end = value as Record<string, unknown>;
  if (end.version !== 1 || typeof end.job !== 'string' || typeof end.node !== 'string') return false;
  switch (end.kind) {
    case 'done':
    case 'hit':
      return isSha256(end.fingerprint);
    case 'failed':
      return typeof end.code === 'string' && typeof end.text === 'string';
    case 'interrupted':
      return end.because === undefined || end.because === 'time' || end.because === 'room';
    default:
      return false;
  }
}
