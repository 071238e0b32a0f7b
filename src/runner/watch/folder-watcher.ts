import { type FSWatcher, readdirSync, realpathSync, statSync, watch } from 'node:fs';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../errors.ts';
import type { WatchedPaths } from './watched-paths.ts';

/** Tells about changes to a set of paths until it is closed. */
export interface Watcher {
  /** Watches these instead. @throws {ReproError} `watch-limit` */
  update(watched: WatchedPaths): void;
  close(): void;
}

/** The names that matter in a folder; `all` but those left out. */
type Names = Set<string> | 'all';

interface Armed {
  readonly watcher: FSWatcher;
  /** A folder that was removed and made again is another one, mostly under another number. */
  readonly ino: bigint;
  names: Names;
  /** Whether the folder may have been removed since: its number can come back with another folder. */
  isSuspect: boolean;
}

/**
 * Watches folders, not files: editors replace files, which ends a watch of the file itself, and a data set has far more files than
 * folders. One folder takes one watch of the system.
 */
export class FolderWatcher implements Watcher {
  readonly #onChange: (absolute: string) => void;
  readonly #armed = new Map<string, Armed>();
  #leftOut: ReadonlySet<string> = new Set();

  constructor(onChange: (absolute: string) => void) {
    this.#onChange = onChange;
  }

  update({ paths, leftOut }: WatchedPaths): void {
    this.#leftOut = leftOut;
    const wanted = listFolders(paths, leftOut);
    for (const [folder, armed] of this.#armed) {
      if (wanted.has(folder) && !armed.isSuspect && inodeOf(folder) === armed.ino) continue;
      armed.watcher.close();
      this.#armed.delete(folder);
    }
    for (const [folder, names] of wanted) {
      const armed = this.#armed.get(folder);
      if (armed === undefined) this.#arm(folder, names);
      else armed.names = names;
    }
  }

  close(): void {
    for (const { watcher } of this.#armed.values()) watcher.close();
    this.#armed.clear();
  }

  #arm(folder: string, names: Names): void {
    const ino = inodeOf(folder);
    // It has just gone; the folder above it tells when it is back.
    if (ino === null) return;
    let watcher: FSWatcher;
    try {
      watcher = watch(folder, (_, name) => this.#note(folder, name));
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) return;
      throw explainLimit(error, folder);
    }
    watcher.on('error', () => this.#onChange(folder));
    this.#armed.set(folder, { watcher, ino, names, isSuspect: false });
  }

  #note(folder: string, name: string | null): void {
    const names = this.#armed.get(folder)?.names;
    if (names === undefined) return;
    // Without a name anything may have changed; with the folder's own name it is about the folder.
    if (name === null || name === path.basename(folder)) {
      this.#suspect(folder);
      this.#onChange(folder);
      return;
    }
    const absolute = path.join(folder, name);
    this.#suspect(absolute);
    if (names === 'all' ? !this.#leftOut.has(absolute) : names.has(name)) this.#onChange(absolute);
  }

  /** Something happened to this path as a whole: the watches of it and of what is below may have ended. */
  #suspect(absolute: string): void {
    for (const [folder, armed] of this.#armed) {
      if (folder === absolute || folder.startsWith(absolute + path.sep)) armed.isSuspect = true;
    }
  }
}

/** The folders to watch for changes to paths, and the names that matter in each. */
function listFolders(paths: ReadonlySet<string>, leftOut: ReadonlySet<string>): ReadonlyMap<string, Names> {
  const folders = new Map<string, Names>();
  const addName = (absolute: string): void => {
    let [folder, name] = [path.dirname(absolute), path.basename(absolute)];
    // What does not exist begins with the first folder that does not.
    while (inodeOf(folder) === null && folder !== path.dirname(folder)) {
      [folder, name] = [path.dirname(folder), path.basename(folder)];
    }
    const names = folders.get(folder) ?? new Set();
    if (names !== 'all') folders.set(folder, names.add(name));
  };
  const visited = new Set<string>();
  const addTree = (folder: string): void => {
    const real = realpathSync(folder);
    if (visited.has(real)) return;
    visited.add(real);
    folders.set(folder, 'all');
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const absolute = path.join(folder, entry.name);
      if (leftOut.has(absolute)) continue;
      if (entry.isDirectory()) addTree(absolute);
      else if (entry.isSymbolicLink()) addTarget(absolute);
    }
  };
  const addTarget = (absolute: string): void => {
    try {
      const real = realpathSync(absolute);
      if (statSync(real).isDirectory()) addTree(absolute);
      else if (real !== absolute) addName(real);
    } catch (error) {
      // Missing, or removed since it was listed.
      if (!hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
    }
  };
  for (const one of paths) {
    addName(one);
    addTarget(one);
  }
  return folders;
}

function inodeOf(folder: string): bigint | null {
  try {
    return statSync(folder, { bigint: true, throwIfNoEntry: false })?.ino ?? null;
  } catch (error) {
    if (hasErrorCode(error, 'ENOTDIR')) return null;
    throw error;
  }
}

function explainLimit(error: unknown, folder: string): unknown {
  if (!hasErrorCode(error, 'ENOSPC', 'EMFILE')) return error;
  return new ReproError('watch-limit', 'this system watches no more folders', {
    where: folder,
    fix: 'Raise its limit (Linux: sysctl fs.inotify.max_user_watches=524288), or look for changes yourself: --poll 2',
    cause: error,
  });
}
