import { type Dirent, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';

/** The names that matter in a folder; `all` but those left out. */
export type Names = Set<string> | 'all';

/**
 * The folders to watch for changes to paths, and the names that matter in each: everything in a folder that is watched as a whole, and
 * on the way to each path the next name, up to the project's folder or else to the root of the file system, since a folder further up may
 * be moved, and a link there may come to lead elsewhere. What cannot be read is treated as if it did not exist: the run says so.
 */
export function listFolders(
  paths: ReadonlySet<string>,
  { leftOut, projectRoot }: { readonly leftOut: ReadonlySet<string>; readonly projectRoot: string },
): ReadonlyMap<string, Names> {
  const folders = new Map<string, Names>();
  const ways = new Set([projectRoot]);
  const addWay = (absolute: string): void => {
    const folder = path.dirname(absolute);
    if (ways.has(absolute) || folder === absolute) return;
    ways.add(absolute);
    const names = folders.get(folder) ?? new Set();
    if (names !== 'all') folders.set(folder, names.add(path.basename(absolute)));
    addWay(folder);
    const target = targetOf(absolute);
    if (target !== null) addWay(target);
  };
  const visited = new Set<string>();
  const addTree = (folder: string): void => {
    const real = realPathOf(folder);
    if (real === null || visited.has(real)) return;
    visited.add(real);
    folders.set(folder, 'all');
    for (const entry of listEntries(folder)) {
      const absolute = path.join(folder, entry.name);
      if (leftOut.has(absolute)) continue;
      if (entry.isDirectory()) addTree(absolute);
      else if (entry.isSymbolicLink()) addPath(absolute);
    }
  };
  const addPath = (absolute: string): void => {
    addWay(absolute);
    if (isFolder(absolute)) addTree(absolute);
  };
  for (const one of paths) addPath(one);
  return folders;
}

/** What a link leads to, which may be another link; null for everything else. */
function targetOf(absolute: string): string | null {
  try {
    const target = readlinkSync(absolute);
    return path.resolve(realPathOf(path.dirname(absolute)) ?? path.dirname(absolute), target);
  } catch {
    return null;
  }
}

function realPathOf(absolute: string): string | null {
  try {
    return realpathSync(absolute);
  } catch {
    return null;
  }
}

function isFolder(absolute: string): boolean {
  try {
    return statSync(absolute, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch {
    return false;
  }
}

function listEntries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
