import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { removeEmptyFolder } from '../../files/empty-folder.ts';
import { findProcess, identifyThisProcess, type ProcessIdentity } from './process-identity.ts';

interface LockContent extends ProcessIdentity {
  readonly version: 1;
  readonly command: readonly string[];
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly released: boolean;
}

export interface Lock {
  /** Whether another run has taken over, because this one gave no sign of life for so long, or the lock was deleted. */
  isLost(): boolean;
  release(): Promise<void>;
  /** Releases it and removes its folder, for a run that leaves nothing; but not from under one that takes it meanwhile. */
  dissolve(): Promise<void>;
}

/** A holder on another machine, or in another container, shows that it lives by touching its file. */
const heartbeatMs = 5_000;

/** One that has not done so for this long is taken for dead. */
const silenceMs = 60_000;

/**
 * Takes the lock against a second run in the same folder. A holder that has died is succeeded without being asked.
 *
 * The lock is a folder of numbered files. The one with the highest number counts: it says who holds the lock, or that it is
 * released. To take the lock is to create the next number, which only one process can; numbers only grow and the highest is
 * never removed, so whoever decides on what has become old finds its number taken or exceeded.
 *
 * @throws {ReproError} `locked`, naming the holder
 */
export async function acquireLock(folder: string): Promise<Lock> {
  const content = describeThisRun();
  for (;;) {
    await fs.mkdir(folder, { recursive: true });
    const highest = findHighest(folder);
    if (highest > 0) await refuseLiveHolder(path.join(folder, nameOf(highest)));
    const number = highest + 1;
    if (!(await createWhole(path.join(folder, nameOf(number)), content))) continue;
    if (findHighest(folder) > number) {
      await fs.rm(path.join(folder, nameOf(number)), { force: true });
      continue;
    }
    await removeBelow(folder, number);
    return holdLock(folder, number, content);
  }
}

function holdLock(folder: string, number: number, content: LockContent): Lock {
  const file = path.join(folder, nameOf(number));
  const isLost = (): boolean => findHighest(folder) !== number;
  const heartbeat = setInterval(() => {
    const now = new Date();
    fs.utimes(file, now, now).catch(() => {
      // A disk that is full or gone shows itself where it matters; a sign of life less does no harm.
    });
  }, heartbeatMs);
  heartbeat.unref();
  // What is no longer ours is not ours to release.
  return {
    isLost,
    release: async () => {
      clearInterval(heartbeat);
      if (!isLost()) await replaceWhole(file, { ...content, released: true });
    },
    dissolve: async () => {
      clearInterval(heartbeat);
      if (isLost()) return;
      await fs.rm(file);
      await removeEmptyFolder(folder);
    },
  };
}

function describeThisRun(): LockContent {
  return {
    version: 1,
    ...identifyThisProcess(),
    command: process.argv,
    started: new Date().toISOString(),
    released: false,
  };
}

async function refuseLiveHolder(file: string): Promise<void> {
  const holder = readContent(file);
  // Damaged: files appear here whole, so the machine has lost power since, and with it the holder.
  if (holder === null || holder.released) return;
  const state = findProcess(holder);
  if (state === 'dead' || (state === 'unknown' && (await isSilent(file)))) return;
  const command = holder.command.slice(2).join(' ').slice(0, 100);
  throw new ReproError(
    'locked',
    `another run holds this folder: process ${holder.pid} on ${holder.host}, since ${holder.started}${command === '' ? '' : ` (${command})`}`,
    { where: file, fix: 'Wait for it to end, or end it. If it is dead already, running again is enough.' },
  );
}

/** Measured against a file made now, because the clock of a shared file system is not ours. */
async function isSilent(file: string): Promise<boolean> {
  const probe = `${file}.${randomUUID()}`;
  try {
    await fs.writeFile(probe, '');
    const [now, last] = await Promise.all([fs.stat(probe), fs.stat(file)]);
    return now.mtimeMs - last.mtimeMs > silenceMs;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return false;
    throw error;
  } finally {
    await fs.rm(probe, { force: true });
  }
}

function readContent(file: string): LockContent | null {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isLockContent(content) ? content : null;
  } catch {
    return null;
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

/** 0 where there is none: nobody has taken the lock yet, or its folder is gone. */
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

/** @returns false if the file is there already, or if another run has cleaned up and it is time to look again */
async function createWhole(file: string, content: LockContent): Promise<boolean> {
  const partial = partialNameOf(file);
  try {
    await fs.writeFile(partial, JSON.stringify(content));
    await fs.link(partial, file);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST', 'ENOENT')) return false;
    if (hasErrorCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP')) return createWithoutLinks(file, content);
    throw error;
  } finally {
    await fs.rm(partial, { force: true });
  }
}

/** For file systems without hard links (exFAT): as exclusive, but its content follows a moment later. */
async function createWithoutLinks(file: string, content: LockContent): Promise<boolean> {
  try {
    await fs.writeFile(file, JSON.stringify(content), { flag: 'wx' });
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function replaceWhole(file: string, content: LockContent): Promise<void> {
  const partial = partialNameOf(file);
  await fs.writeFile(partial, JSON.stringify(content));
  await fs.rename(partial, file);
}

function partialNameOf(file: string): string {
  return `${file}.${randomUUID()}`;
}

/** Also what a process left that died between writing and linking. */
async function removeBelow(folder: string, number: number): Promise<void> {
  for (const name of readdirSync(folder)) {
    const isOlder = Number.parseInt(name, 10) < number;
    if (isOlder) await fs.rm(path.join(folder, name), { force: true });
  }
}
