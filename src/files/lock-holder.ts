import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describeError, hasErrorCode, ReproError } from '../errors.ts';
import { findProcess, type ProcessIdentity } from './process-identity.ts';

/** A file of a lock's folder: who holds it, or that it is released. */
export interface LockContent extends ProcessIdentity {
  readonly version: 1;
  readonly command: readonly string[];
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly released: boolean;
}

/** A holder that has not touched its file for this long is presumed dead. */
export const silenceMs = 60_000;

/**
 * The run that holds the lock, as far as a look tells: one on another machine that has given no sign for a minute counts as dead. Changes
 * nothing, unlike the question whether the lock can be taken, and so cannot allow for a clock that differs.
 */
export function findHolder(folder: string): ProcessIdentity | null {
  const highest = findHighest(folder);
  if (highest === 0) return null;
  const file = path.join(folder, nameOf(highest));
  const holder = readContent(file);
  if (holder === null || holder.released) return null;
  const state = findProcess(holder);
  if (state === 'unknown') {
    const last = statSync(file, { throwIfNoEntry: false });
    return last === undefined || Date.now() - last.mtimeMs > silenceMs ? null : holder;
  }
  return state === 'alive' ? holder : null;
}

/**
 * null for a file that is missing, damaged or empty.
 *
 * @throws {ReproError} `lock-unreadable`: the run that holds the lock may be alive
 */
export function readContent(file: string): LockContent | null {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isLockContent(content) ? content : null;
  } catch (error) {
    if (error instanceof SyntaxError || hasErrorCode(error, 'ENOENT')) return null;
    throw new ReproError('lock-unreadable', `this lock file cannot be read: ${describeError(error)}`, {
      where: file,
      fix: 'Make it readable for you. Delete it only if no run works in this folder.',
      cause: error,
    });
  }
}

function isLockContent(value: unknown): value is LockContent {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, host, space, startTime, command } = value as Partial<LockContent>;
  return (
    typeof pid === 'number' &&
    typeof host === 'string' &&
    [space, startTime].every((one) => one === null || typeof one === 'string') &&
    Array.isArray(command)
  );
}

export function nameOf(number: number): string {
  return `${number}.json`;
}

/** 0 if there is none: the lock was never taken, or its folder is gone. */
export function findHighest(folder: string): number {
  try {
    const numbers = readdirSync(folder)
      .filter((name) => /^\d+\.json$/.test(name))
      .map((name) => Number.parseInt(name, 10));
    return Math.max(0, ...numbers);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return 0;
    throw error;
  }
}
