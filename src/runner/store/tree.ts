import { type BigIntStats, type Dirent, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { isAtOrBelow } from '../../base/files/folders.ts';
import { refuseUnreadableName } from '../../base/files/regular-file.ts';

/** Distinguishes versions of a file without reading it; times in ns since 1970, as decimal text. */
export interface FileStamp {
  readonly size: number;
  readonly mtimeNs: string;
  readonly ctimeNs: string;
  readonly ino: string;
}

interface ScannedFile {
  /** Relative to the scanned path, with `/`; empty if that path is itself a file. */
  readonly path: string;
  readonly absolute: string;
  readonly stamp: FileStamp;
  readonly executable: boolean;
}

export interface Scan {
  readonly kind: 'missing' | 'file' | 'folder';
  /** Sorted by code unit of the path. */
  readonly files: readonly ScannedFile[];
  /** Empty folders, relative, sorted by code unit. */
  readonly emptyFolders: readonly string[];
  /** Absolute, of files and folders. */
  readonly links: readonly string[];
  /** Absolute, sorted by code unit; those from which nothing was left out. */
  readonly folders: readonly string[];
}

export function stampOf(stats: BigIntStats): FileStamp {
  return {
    size: Number(stats.size),
    mtimeNs: String(stats.mtimeNs),
    ctimeNs: String(stats.ctimeNs),
    ino: String(stats.ino),
  };
}

/** The stamp of a file, links followed. */
export function readStamp(file: string): FileStamp {
  return stampOf(statSync(file, { bigint: true }));
}

export function isSameStamp(a: FileStamp, b: FileStamp): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.ino === b.ino;
}

/** Entries after which a scan yields: to signals, the lock's signs of life, the live view. */
const entriesPerTurn = 4000;

/**
 * Lists what is under a path, following symbolic links.
 *
 * @throws {ReproError} `link-loop`, `broken-link`, `special-file`, `file-name` (not UTF-8), `file-changed` (vanished meanwhile)
 */
export async function scanTree(target: string): Promise<Scan> {
  const root = statRoot(target);
  if (root === undefined) return { kind: 'missing', files: [], emptyFolders: [], links: [], folders: [] };
  if (!root.isDirectory()) {
    const file = describeFile(target, '', root);
    return { kind: 'file', files: [file], emptyFolders: [], links: [], folders: [] };
  }

  const files: ScannedFile[] = [];
  const emptyFolders: string[] = [];
  const folders: string[] = [];
  const links: string[] = [];
  let entriesLeft = entriesPerTurn;
  const pending = [{ absolute: target, relative: '', ancestors: [realpathSync(target)] }];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const entries = listFolder(folder.absolute);
    if (entries.length === 0 && folder.relative !== '') emptyFolders.push(folder.relative);
    entriesLeft -= entries.length;
    if (entriesLeft < 0) {
      entriesLeft = entriesPerTurn;
      await setImmediate();
    }
    for (const entry of entries) {
      const absolute = `${folder.absolute}${path.sep}${entry.name}`;
      refuseUnreadableName(folder.absolute, entry.name);
      const relative = folder.relative === '' ? entry.name : `${folder.relative}/${entry.name}`;
      if (entry.isSymbolicLink()) links.push(absolute);
      const stats = entry.isDirectory() ? null : statEntry(absolute, entry.isSymbolicLink());
      if (stats?.isDirectory() === false) {
        files.push(describeFile(absolute, relative, stats));
        continue;
      }
      const inParent = path.join(folder.ancestors.at(-1) ?? target, entry.name);
      const real = stats === null ? inParent : followLink(absolute, folder.ancestors);
      pending.push({ absolute, relative, ancestors: [...folder.ancestors, real] });
    }
    folders.push(folder.absolute);
  }
  return {
    kind: 'folder',
    files: files.sort((a, b) => compareCodeUnits(a.path, b.path)),
    emptyFolders: emptyFolders.sort(compareCodeUnits),
    links,
    folders: folders.sort(compareCodeUnits),
  };
}

function describeFile(absolute: string, relative: string, stats: BigIntStats): ScannedFile {
  if (!stats.isFile()) {
    const text = 'this is a pipe, a socket or a device and has no content to hash';
    throw refuse('special-file', absolute, text, 'Remove it, or leave its folder out of `inputs:`.');
  }
  return { path: relative, absolute, stamp: stampOf(stats), executable: (stats.mode & 0o100n) !== 0n };
}

function refuse(code: string, where: string, text: string, fix: string, cause?: unknown): ReproError {
  return new ReproError(code, text, { where, fix, cause });
}

export function vanished(where: string, cause: unknown): ReproError {
  const fix = 'Something is still changing this folder. Run again once that has finished.';
  return refuse('file-changed', where, 'this was removed while it was being read', fix, cause);
}

function selfLink(where: string, cause: unknown): ReproError {
  const fix = 'Remove the link, or correct where it points.';
  return refuse('link-loop', where, 'this symbolic link points back to itself', fix, cause);
}

function statRoot(target: string): BigIntStats | undefined {
  try {
    return statSync(target, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    // A file is where a folder on the way belongs, so nothing is below it.
    if (hasErrorCode(error, 'ENOTDIR')) return undefined;
    throw hasErrorCode(error, 'ELOOP') ? selfLink(target, error) : error;
  }
}

function listFolder(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw hasErrorCode(error, 'ENOENT') ? vanished(folder, error) : error;
  }
}

function statEntry(absolute: string, isLink: boolean): BigIntStats {
  try {
    return statSync(absolute, { bigint: true });
  } catch (error) {
    if (hasErrorCode(error, 'ELOOP')) throw selfLink(absolute, error);
    const isHere = lstatSync(absolute, { throwIfNoEntry: false }) !== undefined;
    if (isLink && isHere && hasErrorCode(error, 'ENOENT', 'ENOTDIR')) {
      const fix = 'Remove it, or restore what it points to.';
      throw refuse('broken-link', absolute, 'this symbolic link points to nothing', fix, error);
    }
    throw hasErrorCode(error, 'ENOENT') ? vanished(absolute, error) : error;
  }
}

/** Where a link to a folder leads; following it must end. */
function followLink(link: string, ancestors: readonly string[]): string {
  const real = realpathSync(link);
  if (!ancestors.some((one) => isAtOrBelow(one, real))) return real;
  const text = `this symbolic link points to ${real}, which contains it`;
  throw refuse('link-loop', link, text, 'Remove the link: following it would never end.');
}

interface FileState {
  /** Relative to its folder. */
  readonly path: string;
  readonly sizeBytes: bigint;
  /** Of its last change, since 1970. */
  readonly changedNs: bigint;
}

/**
 * The files below a folder, or the file itself, sorted by path. Other processes may still write there, so files that vanish meanwhile are left out; so are those
 * that NFS keeps because they were removed while open.
 */
export async function listFileStates(folder: string): Promise<FileState[]> {
  const entries = await unlessGone(fs.readdir(folder, { recursive: true, withFileTypes: true }));
  const below = (entries ?? [])
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.nfs'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
  const states: FileState[] = [];
  for (const file of entries === null ? [folder] : below) {
    const found = await unlessGone(fs.lstat(file, { bigint: true }));
    if (found === null) continue;
    states.push({ path: path.relative(folder, file), sizeBytes: found.size, changedNs: found.mtimeNs });
  }
  return states;
}

async function unlessGone<Value>(looking: Promise<Value>): Promise<Value | null> {
  try {
    return await looking;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'ESTALE')) return null;
    throw error;
  }
}
