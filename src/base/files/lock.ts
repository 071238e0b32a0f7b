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
import { hasErrorCode, ReproError } from '../errors.ts';
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

/**
 * Takes the lock on a folder against a second run. A dead holder is replaced without asking.
 *
 * The lock is a folder of numbered files. The one with the highest number counts: it says who holds the lock, or that it is
 * released. Taking the lock means creating the next number, which only one process can do; numbers only grow and the highest
 * is never removed, so a process that acts on outdated information finds its number taken or exceeded.
 *
 * @throws {ReproError} `locked`, naming the holder
 */
export async function acquireLock(folder: string): Promise<Lock> {
  const content: LockContent = {
    version: 1,
    ...identifyThisProcess(),
    command: process.argv,
    started: new Date().toISOString(),
    released: false,
  };
  for (;;) {
    mkdirSync(folder, { recursive: true });
    const number = findHighest(folder) + 1;
    refuseHolder(folder);
    if (!createWhole(fileOf(folder, number), JSON.stringify(content))) continue;
    if (findHighest(folder) > number) {
      removeIfThere(fileOf(folder, number));
      continue;
    }
    // Including leftovers of a process that died between writing and linking.
    for (const name of readdirSync(folder)) {
      if (Number.parseInt(name, 10) < number) removeIfThere(path.join(folder, name));
    }
    return holdLock(folder, number, content);
  }
}

/**
 * The run that holds the lock; null if it is free. A damaged file counts as released: files appear complete here, so the machine has lost
 * power since. A run on another machine that has given no sign for a minute counts as dead.
 *
 * @param readClock the time in ms; by this machine's clock, which may differ from that of a shared disk, if one only looks
 */
export function findHolder(folder: string, readClock = (_file: string) => Date.now()): LockContent | null {
  const file = fileOf(folder, findHighest(folder));
  const holder = readContent(file);
  if (holder === null || holder.released) return null;
  const state = findProcess(holder);
  if (state !== 'unknown') return state === 'alive' ? holder : null;
  // In this order: a sign given between the two must not count as old.
  const nowMs = readClock(file);
  const last = statSync(file, { throwIfNoEntry: false });
  return last === undefined || nowMs - last.mtimeMs > silenceMs ? null : holder;
}

function holdLock(folder: string, number: number, content: LockContent): Lock {
  const file = fileOf(folder, number);
  const isLost = (): boolean => findHighest(folder) !== number;
  const heartbeat = setInterval(() => {
    touch(file).catch(() => {
      // A full or missing disk is reported elsewhere; one missed sign of life does no harm.
    });
  }, heartbeatMs);
  heartbeat.unref();
  return {
    isLost,
    release: async () => {
      clearInterval(heartbeat);
      if (isLost()) return;
      const partial = `${file}.${randomUUID()}`;
      try {
        writeFileSync(partial, JSON.stringify({ ...content, released: true }));
        renameSync(partial, file);
      } catch {
        // A full disk. An empty file needs no space, and counts as released; if not even that can be written, our end releases it.
        await fs.truncate(file).catch(() => {});
        removeIfThere(partial);
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

/** Writes a byte that is there already: unlike `utimes`, this sets the time by the disk's clock. */
async function touch(file: string): Promise<void> {
  const handle = await fs.open(file, 'r+');
  await handle.write('{', 0).finally(() => handle.close());
}

/** The time by the clock of the file's disk; 0 if another run takes the lock or removes its folder meanwhile. */
function readDiskClock(file: string): number {
  const probe = `${file}.${randomUUID()}`;
  try {
    writeFileSync(probe, '');
    return statSync(probe).mtimeMs;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return 0;
    throw error;
  } finally {
    removeIfThere(probe);
  }
}

function refuseHolder(folder: string): void {
  const holder = findHolder(folder, readDiskClock);
  if (holder === null) return;
  const command = holder.command.slice(2).join(' ').slice(0, 100);
  throw new ReproError(
    'locked',
    `another run holds this folder: process ${holder.pid} on ${holder.host}, since ${holder.started}${command === '' ? '' : ` (${command})`}`,
    {
      where: fileOf(folder, findHighest(folder)),
      fix: 'Wait for it to finish, or stop it. To run something beside it, use a second working tree: docs/cache.md. If it is already dead, just run again.',
    },
  );
}

/**
 * Creates a file that appears with its whole content, which only one of several processes can do. Synchronous, like all steps of taking and
 * releasing the lock: an asynchronous call would wait for a thread.
 *
 * @returns false if the file already exists, or if another run has cleaned up and the caller must look again
 */
export function createWhole(file: string, text: string): boolean {
  const partial = `${file}.${randomUUID()}`;
  try {
    writeFileSync(partial, text);
    try {
      linkSync(partial, file);
    } catch (error) {
      if (!hasErrorCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP')) throw error;
      // Without hard links (exFAT): just as exclusive, but the content follows a moment later.
      writeFileSync(file, text, { flag: 'wx' });
    }
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST', 'ENOENT')) return false;
    throw error;
  } finally {
    removeIfThere(partial);
  }
}

function removeIfThere(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
}

/** null for a file that is missing, damaged or empty; one that cannot be read may be that of a run at work, and the system's error says so. */
function readContent(file: string): LockContent | null {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isLockContent(content) ? content : null;
  } catch (error) {
    if (error instanceof SyntaxError || hasErrorCode(error, 'ENOENT')) return null;
    throw error;
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

function fileOf(folder: string, number: number): string {
  return path.join(folder, `${number}.json`);
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
