import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../../errors.ts';
import { isAtOrBelow } from '../../../files/path-below.ts';
import { stampOf } from '../../store/tree.ts';
import { listFolders, type Names, type WatchedPaths } from './watched-paths.ts';

/** Tells about changes to a set of paths until it is closed. */
export interface Watcher {
  /** Watches these instead. @throws {ReproError} `watch-limit` */
  update(watched: WatchedPaths): void;
  close(): void;
}

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
  readonly #projectRoot: string;
  #leftOut: ReadonlySet<string> = new Set();

  constructor(projectRoot: string, onChange: (absolute: string) => void) {
    this.#projectRoot = projectRoot;
    this.#onChange = onChange;
  }

  update({ paths, leftOut }: WatchedPaths): void {
    this.#leftOut = leftOut;
    const wanted = listFolders(paths, { leftOut, projectRoot: this.#projectRoot });
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
      const limit = explainLimit(error, folder);
      // It has gone meanwhile, or may not be read, which the run says if it matters.
      if (limit === null) return;
      throw limit;
    }
    watcher.on('error', () => this.#onChange(folder));
    this.#armed.set(folder, { watcher, ino, names, isSuspect: false });
  }

  #note(folder: string, name: string | null): void {
    const armed = this.#armed.get(folder);
    if (armed === undefined) return;
    const { names } = armed;
    // Without a name anything may have changed; with the folder's own name it may be about the folder.
    const isAboutFolder =
      name === path.basename(folder) && (names === 'all' || inodeOf(folder) !== armed.ino);
    if (name === null || isAboutFolder) {
      this.#suspect(folder);
      this.#onChange(folder);
      return;
    }
    if (names !== 'all' && !names.has(name)) return;
    const absolute = path.join(folder, name);
    this.#suspect(absolute);
    if (names !== 'all' || !this.#leftOut.has(absolute)) this.#onChange(absolute);
  }

  /** Something happened to this path as a whole: the watches of it and of what is below may have ended. */
  #suspect(absolute: string): void {
    for (const [folder, armed] of this.#armed) {
      if (isAtOrBelow(folder, absolute)) armed.isSuspect = true;
    }
  }
}

/** null if there is no such folder, or if it cannot be reached. */
function inodeOf(folder: string): bigint | null {
  try {
    return statSync(folder, { bigint: true, throwIfNoEntry: false })?.ino ?? null;
  } catch {
    return null;
  }
}

function explainLimit(error: unknown, folder: string): ReproError | null {
  if (!hasErrorCode(error, 'ENOSPC', 'EMFILE')) return null;
  return new ReproError('watch-limit', 'this system watches no more folders', {
    where: folder,
    fix: 'Raise its limit (Linux: sysctl fs.inotify.max_user_watches=524288), or look for changes yourself: --poll 2',
    cause: error,
  });
}

/** Looks at every file again and again, for file systems that report no changes: shared folders, some containers. */
export class Poller implements Watcher {
  readonly #onChange: (absolute: string) => void;
  readonly #timer: NodeJS.Timeout;
  #watched: WatchedPaths = { paths: new Set(), leftOut: new Set() };
  #stamps: ReadonlyMap<string, string> = new Map();

  constructor(seconds: number, onChange: (absolute: string) => void) {
    this.#onChange = onChange;
    this.#timer = setInterval(() => this.#look(), seconds * 1000);
  }

  update(watched: WatchedPaths): void {
    // What changed while paths stayed the same is still to be told.
    const added = [...watched.paths].filter((one) => !this.#watched.paths.has(one));
    this.#watched = watched;
    const stamps = readStamps(watched);
    const isNew = (file: string): boolean => added.some((one) => isAtOrBelow(file, one));
    this.#stamps = new Map([...this.#stamps, ...[...stamps].filter(([file]) => isNew(file))]);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const stamps = readStamps(this.#watched);
    for (const [file, stamp] of stamps) if (this.#stamps.get(file) !== stamp) this.#onChange(file);
    for (const file of this.#stamps.keys()) {
      const isWatched = [...this.#watched.paths].some((one) => isAtOrBelow(file, one));
      if (!stamps.has(file) && isWatched) this.#onChange(file);
    }
    this.#stamps = stamps;
  }
}

function readStamps({ paths, leftOut }: WatchedPaths): Map<string, string> {
  const stamps = new Map<string, string>();
  const visit = (absolute: string, depth: number): void => {
    try {
      const stats = statSync(absolute, { bigint: true, throwIfNoEntry: false });
      if (stats === undefined) return;
      if (!stats.isDirectory()) {
        stamps.set(absolute, JSON.stringify(stampOf(stats)));
        return;
      }
      // A loop of links; the run itself names it.
      if (depth > deepestFolder) return;
      for (const name of readdirSync(absolute)) {
        const below = path.join(absolute, name);
        if (!leftOut.has(below)) visit(below, depth + 1);
      }
    } catch {
      // Removed meanwhile, or unreadable: the run itself says so.
    }
  };
  for (const one of paths) visit(one, 0);
  return stamps;
}

const deepestFolder = 64;
