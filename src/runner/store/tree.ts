import { type BigIntStats, type Dirent, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { compareCodeUnits } from '../../files/canonical-json.ts';
import { isAtOrBelow } from '../../files/path-below.ts';
import { refuseUnreadableName } from '../../files/unreadable-name.ts';

/** Distinguishes versions of a file without reading it; times in ns since 1970, as decimal text. */
export interface FileStamp {
  readonly size: number;
  readonly mtimeNs: string;
  readonly ctimeNs: string;
  readonly ino: string;
}

export interface ScannedFile {
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
  readonly hasLinks: boolean;
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

/** Entries after which a scan yields to the live view and messages from running stages. */
const entriesPerTurn = 4000;

/**
 * Lists what is under a path, following symbolic links. `isLeftOut` may exclude absolute paths and everything below them.
 *
 * @throws {ReproError} `link-loop`, `broken-link`, `special-file`, `file-name` (not UTF-8), `file-changed` (vanished meanwhile)
 */
export async function scanTree(
  target: string,
  isLeftOut: (absolute: string) => boolean = () => false,
): Promise<Scan> {
  const root = statRoot(target);
  if (root === undefined) return { kind: 'missing', files: [], emptyFolders: [], hasLinks: false };
  if (!root.isDirectory()) {
    const file = describeFile(target, '', root);
    return { kind: 'file', files: [file], emptyFolders: [], hasLinks: false };
  }

  const files: ScannedFile[] = [];
  const emptyFolders: string[] = [];
  let hasLinks = false;
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
      if (isLeftOut(absolute)) continue;
      refuseUnreadableName(folder.absolute, entry.name);
      const relative = folder.relative === '' ? entry.name : `${folder.relative}/${entry.name}`;
      hasLinks ||= entry.isSymbolicLink();
      if (entry.isDirectory()) {
        const real = path.join(folder.ancestors.at(-1) ?? target, entry.name);
        pending.push({ absolute, relative, ancestors: [...folder.ancestors, real] });
        continue;
      }
      const stats = statEntry(absolute, entry.isSymbolicLink());
      if (stats.isDirectory()) {
        const real = realpathSync(absolute);
        refuseLoop(absolute, real, folder.ancestors);
        pending.push({ absolute, relative, ancestors: [...folder.ancestors, real] });
      } else {
        files.push(describeFile(absolute, relative, stats));
      }
    }
  }
  return {
    kind: 'folder',
    files: sortByPath(files),
    emptyFolders: emptyFolders.sort(compareCodeUnits),
    hasLinks,
  };
}

/** Without a function to compare, names are sorted by code unit, many times as fast. */
function sortByPath(files: readonly ScannedFile[]): ScannedFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return [...byPath.keys()].sort().map((name) => byPath.get(name)!);
}

function describeFile(absolute: string, relative: string, stats: BigIntStats): ScannedFile {
  if (!stats.isFile()) {
    throw new ReproError('special-file', 'this is a pipe, a socket or a device and has no content to hash', {
      where: absolute,
      fix: 'Remove it, or leave its folder out of `inputs:`.',
    });
  }
  return { path: relative, absolute, stamp: stampOf(stats), executable: (stats.mode & 0o100n) !== 0n };
}

function statRoot(target: string): BigIntStats | undefined {
  try {
    return statSync(target, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    // A file is where a folder on the way belongs, so nothing is below it.
    if (hasErrorCode(error, 'ENOTDIR')) return undefined;
    if (hasErrorCode(error, 'ELOOP')) throw selfLink(target, error);
    throw error;
  }
}

function listFolder(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) throw vanished(folder, error);
    throw error;
  }
}

function selfLink(where: string, cause: unknown): ReproError {
  return new ReproError('link-loop', 'this symbolic link points back to itself', {
    where,
    fix: 'Remove the link, or let it point to what was meant.',
    cause,
  });
}

export function vanished(where: string, cause: unknown): ReproError {
  return new ReproError('file-changed', 'this was removed while it was being read', {
    where,
    fix: 'Something is still changing this folder. Run again once that has finished.',
    cause,
  });
}

function statEntry(absolute: string, isLink: boolean): BigIntStats {
  try {
    return statSync(absolute, { bigint: true });
  } catch (error) {
    if (hasErrorCode(error, 'ELOOP')) throw selfLink(absolute, error);
    const isHere = lstatSync(absolute, { throwIfNoEntry: false }) !== undefined;
    if (isLink && isHere && hasErrorCode(error, 'ENOENT', 'ENOTDIR')) {
      throw new ReproError('broken-link', 'this symbolic link points to nothing', {
        where: absolute,
        fix: 'Remove it, or restore what it points to.',
        cause: error,
      });
    }
    if (hasErrorCode(error, 'ENOENT')) throw vanished(absolute, error);
    throw error;
  }
}

function refuseLoop(link: string, real: string, ancestors: readonly string[]): void {
  const inside = ancestors.find((one) => isAtOrBelow(one, real));
  if (inside === undefined) return;
  throw new ReproError('link-loop', `this symbolic link points to ${real}, which contains it`, {
    where: link,
    fix: 'Remove the link: following it would never end.',
  });
}
