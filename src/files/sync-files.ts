import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { syncFile, syncFolder } from './atomic-file.ts';
import { forEachLimited } from './for-each-limited.ts';

/** From this many files or folders on, one call for the whole file system is faster than one for each of them. */
const wholeFrom = { files: 200, folders: 50 };

/** Concurrent calls, which a file system's journal handles together. */
const syncsAtOnce = 8;

interface SyncOptions {
  /** Writes all of a file system to the disk, given a path on it; null: not possible. Default: {@link findSyncWhole}. */
  readonly syncWhole?: ((target: string) => Promise<void>) | null;
}

/**
 * Makes the content of files survive a power cut: with one call for the whole file system if they are many and that is reliable
 * ({@link findSyncWhole}), else with one call for each.
 *
 * @param files on one file system
 */
export async function syncFiles(files: readonly string[], options: SyncOptions = {}): Promise<void> {
  const [first] = files;
  if (first !== undefined && files.length >= wholeFrom.files && (await syncAll(first, options))) return;
  await forEachLimited(files, syncsAtOnce, syncFile);
}

/** As {@link syncFiles}, for the names in folders. */
export async function syncFolders(folders: readonly string[], options: SyncOptions = {}): Promise<void> {
  const [first] = folders;
  if (first !== undefined && folders.length >= wholeFrom.folders && (await syncAll(first, options))) return;
  await forEachLimited(folders, syncsAtOnce, syncFolder);
}

/** Makes the content of all files below a path survive a power cut, and the names of those in folders; on one file system. */
export async function syncTree(target: string, options: SyncOptions = {}): Promise<void> {
  if (!(await fs.stat(target)).isDirectory()) return syncFile(target);
  const entries = await fs.readdir(target, { withFileTypes: true, recursive: true });
  if (entries.length >= wholeFrom.files && (await syncAll(target, options))) return;
  await forEachLimited(entries, syncsAtOnce, async (entry) => {
    const absolute = path.join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await syncFolder(absolute);
    else if (entry.isFile()) await syncFile(absolute);
  });
  await syncFolder(target);
}

/** @returns false if it is not possible here, or failed: then each file is synced, which also tells which one cannot be */
async function syncAll(target: string, { syncWhole }: SyncOptions): Promise<boolean> {
  const sync = syncWhole === undefined ? await findSyncWhole(target) : syncWhole;
  if (sync === null) return false;
  return sync(target).then(
    () => true,
    () => false,
  );
}

/** A `sync` elsewhere on the PATH may be anything. */
const programs = ['/usr/bin/sync', '/bin/sync'];

/** Before it, syncfs(2) did not report all write errors. */
const firstReliableLinux = { major: 5, minor: 17 };

/** Magic numbers (statfs(2)) of file systems whose server may not learn of syncfs(2). */
const unreliable: ReadonlySet<number> = new Set([
  0x65735546, // FUSE, and virtiofs
  0x01021997, // 9p
  0x6969, // NFS
  0x517b, // SMB
  0xfe534d42, // SMB 2 and 3
  0xff534d42, // CIFS
]);

/** What decides whether one call for a whole file system is reliable; tests pass other machines. */
export interface SyncMachine {
  readonly platform: NodeJS.Platform;
  /** As `uname -r` says: `6.1.0-18-amd64`. */
  readonly release: string;
  /** The magic number of the file system of a path. */
  readonly typeOf: (target: string) => Promise<number>;
  /** What a program prints when asked for its version. */
  readonly versionOf: (program: string) => Promise<string>;
}

const thisMachine: SyncMachine = {
  platform: process.platform,
  release: os.release(),
  typeOf: async (target) => (await fs.statfs(target)).type >>> 0,
  versionOf: async (program) => (await call(program, ['--version'])).stdout,
};

/** Each machine is asked once. */
const found = new WeakMap<SyncMachine, Promise<string | null>>();

/**
 * Finds a way to write all of a path's file system to the disk, reporting write errors: syncfs(2), which Node does not offer, through `sync -f`
 * of coreutils. Other programs of that name (busybox, toybox) may accept `-f` and ignore it.
 *
 * @returns null if there is no reliable way: each file then has to be synced
 */
export async function findSyncWhole(
  target: string,
  machine: SyncMachine = thisMachine,
): Promise<((target: string) => Promise<void>) | null> {
  if (machine.platform !== 'linux' || !isReliable(machine.release)) return null;
  const type = await machine.typeOf(target).catch(() => null);
  if (type === null || unreliable.has(type)) return null;
  const asked = found.get(machine) ?? findProgram(machine);
  found.set(machine, asked);
  const program = await asked;
  return program === null ? null : (whole) => runSync(program, whole);
}

function isReliable(release: string): boolean {
  const [, major = 0, minor = 0] = (/^(\d+)\.(\d+)/.exec(release) ?? []).map(Number);
  const first = firstReliableLinux;
  return major > first.major || (major === first.major && minor >= first.minor);
}

async function findProgram({ versionOf }: SyncMachine): Promise<string | null> {
  for (const one of programs) {
    if (/coreutils/.test(await versionOf(one).catch(() => ''))) return one;
  }
  return null;
}

/** @throws if the path does not exist, or something of its file system could not be written */
export async function runSync(program: string, target: string): Promise<void> {
  await call(program, ['-f', target]);
}

/** Loads what starts processes only now: most runs start none. */
async function call(program: string, words: readonly string[]): Promise<{ readonly stdout: string }> {
  const { execFile } = await import('node:child_process');
  return promisify(execFile)(program, words);
}
