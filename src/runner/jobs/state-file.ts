import { readFileSync } from 'node:fs';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../errors.ts';

/** In the folder of a batch. */
export const batchFileName = 'batch.json';

/**
 * Reads a file about submitted jobs. Only a file that does not exist counts as absent: if it cannot be read, or is of another version of this
 * program, its jobs may be at work.
 *
 * @param folder the folder of its jobs
 * @throws {ReproError} `jobs-unreadable`, `jobs-damaged`
 */
export function readStateFile<Value>(
  file: string,
  folder: string,
  isWhole: (value: unknown) => value is Value,
): Value | null {
  // Only the batch file names the jobs.
  const isFound = path.basename(file) !== batchFileName;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return null;
    throw unreadable(file, error);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damaged(file, folder, 'is incomplete', { cause, isFound });
  }
  if (isWhole(value)) return value;
  const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : 1;
  const what = version === 1 ? 'is damaged' : `is of another version (${String(version)})`;
  throw damaged(file, folder, what, { isFound });
}

/** The error about a file or folder of jobs that cannot be read. */
export function unreadable(where: string, cause: unknown): ReproError {
  const said = cause instanceof Error ? cause.message : String(cause);
  return new ReproError('jobs-unreadable', `job data cannot be read (${said})`, {
    where,
    fix: 'Its jobs may be working in this folder. If another user submitted them, wait until they end, or ask for permission to read it.',
    cause,
  });
}

/**
 * The error about a file that this version of the program did not write.
 *
 * @param isFound whether its jobs are known all the same, so that they can be cancelled
 */
export function damaged(
  file: string,
  folder: string,
  what: string,
  { cause, isFound }: { readonly cause?: unknown; readonly isFound: boolean },
): ReproError {
  const fix = isFound
    ? '`./repro cancel` ends them and removes their files.'
    : `End them by hand (squeue --me lists them, scancel ends them), then remove ${folder}`;
  return new ReproError('jobs-damaged', `job data ${what}`, {
    where: file,
    fix: `Its jobs may be working in this folder. ${fix}`,
    cause,
  });
}
