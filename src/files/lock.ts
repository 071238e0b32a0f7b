import { randomUUID } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { describeError, hasErrorCode, ReproError } from '../errors.ts';
import { removeEmptyFolder } from './folders.ts';
import { findProcess, identifyThisProcess, type ProcessIdentity } from './process-identity.ts';

export interface Lock {
  /** Whether another run has taken over because this one gave no sign of life for too long, or the lock was deleted. */
  isLost(): boolean;
  release(): Promise<void>;
  /** Releases it and removes its folder, for a run that leaves nothing behind; unless another run takes it meanwhile. */
  dissolve(): Promise<void>;
}

/** A file in a lock's folder: it names the holder, or says that the lock is released. */
interface LockContent extends ProcessIdentity {
  readonly version: 1;
  readonly command: readonly string[];
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly released: boolean;
}

/** A holder that has not touched its file for this long is presumed dead. */
const silenceMs = 60_000;

/** A holder on another machine or in another container shows that it is alive by touching its file. */
const heartbeatMs = 5_000;

/** How long to watch for the next sign if the time of the last one is in the future, because the clock was set back. */
const watchMs = 2.5 * heartbeatMs;

/**
 * Takes the lock on a folder against a second run. A dead holder is replaced without asking.
 *
 * The lock is a folder of numbered files. The one with the highest number counts: it says who holds the lock, or that it is
 * released. Taking the lock means creating the next number, which only one process can do; numbers only grow and the highest
 * is never removed, so a process that acts on outdated information finds its number taken or exceeded.
 *
 * @param options.watchMs how long to watch a holder that cannot be looked up and whose last sign of life is in the future
 * @throws {ReproError} `locked`, naming the holder; `lock-unreadable`
 */
export async function acquireLock(
  folder: string,
  options: { readonly watchMs?: number } = {},
): Promise<Lock> {
  const content: LockContent = {
    version: 1,
    ...identifyThisProcess(),
    command: process.argv,
    started: new Date().toISOString(),
    released: false,
  };
  for (;;) {
    mkdirSync(folder, { recursive: true });
    const highest = findHighest(folder);
    if (highest > 0) await refuseLiveHolder(path.join(folder, nameOf(highest)), options.watchMs ?? watchMs);
    const number = highest + 1;
    if (!(await createWhole(path.join(folder, nameOf(number)), content))) continue;
    if (findHighest(folder) > number) {
      removeIfThere(path.join(folder, nameOf(number)));
      continue;
    }
    removeBelow(folder, number);
    return holdLock(folder, number, content);
  }
}

/** Whether a run that is alive, or may be, holds the lock now. */
export async function isHeld(folder: string): Promise<boolean> {
  const highest = findHighest(folder);
  if (highest === 0) return false;
  try {
    await refuseLiveHolder(path.join(folder, nameOf(highest)), watchMs);
    return false;
  } catch (error) {
    if (error instanceof ReproError && error.code === 'locked') return true;
    throw error;
  }
}

/**
 * The run that holds the lock, judged without writing: a run on another machine that has given no sign for a minute counts as dead. Unlike
 * {@link isHeld}, it therefore cannot allow for a clock that differs.
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

function holdLock(folder: string, number: number, content: LockContent): Lock {
  const file = path.join(folder, nameOf(number));
  const isLost = (): boolean => findHighest(folder) !== number;
  const heartbeat = setInterval(() => {
    const now = new Date();
    fs.utimes(file, now, now).catch(() => {
      // A full or missing disk is reported elsewhere; one missed sign of life does no harm.
    });
  }, heartbeatMs);
  heartbeat.unref();
  // It may only be released if we still hold it.
  return {
    isLost,
    release: async () => {
      clearInterval(heartbeat);
      if (isLost()) return;
      try {
        replaceWhole(file, { ...content, released: true });
      } catch {
        // A full disk. An empty file needs no space, and counts as released; if not even that can be written, our end releases it.
        await fs.truncate(file).catch(() => {});
      }
    },
    dissolve: async () => {
      clearInterval(heartbeat);
      if (isLost()) return;
      await fs.rm(file);
      await removeEmptyFolder(folder);
    },
  };
}

async function refuseLiveHolder(file: string, watchForMs: number): Promise<void> {
  const holder = readContent(file);
  // Damaged: files appear complete here, so the machine has lost power since, and the holder is gone.
  if (holder === null || holder.released) return;
  const state = findProcess(holder);
  if (state === 'dead' || (state === 'unknown' && (await isSilent(file, watchForMs)))) return;
  const command = holder.command.slice(2).join(' ').slice(0, 100);
  throw new ReproError(
    'locked',
    `another run holds this folder: process ${holder.pid} on ${holder.host}, since ${holder.started}${command === '' ? '' : ` (${command})`}`,
    { where: file, fix: 'Wait for it to finish, or stop it. If it is already dead, just run again.' },
  );
}

/** Compared with a file created now, because a shared file system has its own clock. */
async function isSilent(file: string, watchForMs: number): Promise<boolean> {
  const probe = `${file}.${randomUUID()}`;
  try {
    await fs.writeFile(probe, '');
    const [now, last] = await Promise.all([fs.stat(probe), fs.stat(file)]);
    const elapsedMs = now.mtimeMs - last.mtimeMs;
    if (elapsedMs >= -silenceMs) return elapsedMs > silenceMs;
    await wait(watchForMs);
    return (await fs.stat(file)).mtimeMs === last.mtimeMs;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return false;
    throw error;
  } finally {
    await fs.rm(probe, { force: true });
  }
}

/** @returns false if the file already exists, or if another run has cleaned up and the caller must look again */
async function createWhole(file: string, content: LockContent): Promise<boolean> {
  const partial = partialNameOf(file);
  try {
    writeFileSync(partial, JSON.stringify(content));
    linkSync(partial, file);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST', 'ENOENT')) return false;
    if (hasErrorCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP')) return createWithoutLinks(file, content);
    throw error;
  } finally {
    removeIfThere(partial);
  }
}

/** For file systems without hard links (exFAT): just as exclusive, but the content follows a moment later. */
async function createWithoutLinks(file: string, content: LockContent): Promise<boolean> {
  try {
    await fs.writeFile(file, JSON.stringify(content), { flag: 'wx' });
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function replaceWhole(file: string, content: LockContent): void {
  const partial = partialNameOf(file);
  try {
    writeFileSync(partial, JSON.stringify(content));
    renameSync(partial, file);
  } finally {
    removeIfThere(partial);
  }
}

/** Synchronous, like all steps of taking and releasing the lock: an asynchronous call would wait for a thread. */
function removeIfThere(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
}

function partialNameOf(file: string): string {
  return `${file}.${randomUUID()}`;
}

/** Including leftovers of a process that died between writing and linking. */
function removeBelow(folder: string, number: number): void {
  for (const name of readdirSync(folder)) {
    const isOlder = Number.parseInt(name, 10) < number;
    if (isOlder) removeIfThere(path.join(folder, name));
  }
}

/**
 * null for a file that is missing, damaged or empty.
 *
 * @throws {ReproError} `lock-unreadable`: the run that holds the lock may be alive
 */
function readContent(file: string): LockContent | null {
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

function nameOf(number: number): string {
  return `${number}.json`;
}

/** 0 if there is none: the lock was never taken, or its folder is gone. */
function findHighest(folder: string): number {
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
