import { EventEmitter, once } from 'node:events';
import { type FSWatcher, readdirSync, realpathSync, statSync, watch } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isAtOrBelow } from '../../../files/path-below.ts';
import { stampOf } from '../../store/tree.ts';
import type { WatchedPaths } from './watched-paths.ts';

/** How long after a report of the system the files are looked at: editors and git change several at once. */
const lookAfterMs = 30;

/** What the system does not report, such as a folder further up that is moved, is seen by looking now and then. */
const lookEveryMs = 2_000;

/** Looking takes at most one part in so many of the time. */
const restPerLook = 20;

/**
 * Tells which files changed. It looks at the size and times of all of them: when the system reports a change in one of their folders, and
 * every two seconds. Folders are watched rather than files: editors replace files, which ends a watch of the file itself, and a data set has
 * far more files than folders.
 */
export class PathWatcher {
  readonly #onChange: (absolute: string) => void;
  readonly #everyMs: number;
  readonly #usesSystem: boolean;
  readonly #watchers = new Map<string, FSWatcher>();
  #watched: WatchedPaths = { paths: new Set(), leftOut: new Set() };
  #stamps: ReadonlyMap<string, string> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #notBeforeMs = 0;

  /** @param pollSeconds looks this often instead, for file systems that report no changes: shared folders, some containers */
  constructor(pollSeconds: number | undefined, onChange: (absolute: string) => void) {
    this.#onChange = onChange;
    this.#usesSystem = pollSeconds === undefined;
    this.#everyMs = pollSeconds === undefined ? lookEveryMs : pollSeconds * 1000;
  }

  /** Watches these instead. */
  update(watched: WatchedPaths): void {
    // What changed while paths stayed the same is still to be told.
    const added = [...watched.paths].filter((one) => !this.#watched.paths.has(one));
    this.#watched = watched;
    const { stamps, folders } = readStamps(watched);
    const isNew = (file: string): boolean => added.some((one) => isAtOrBelow(file, one));
    this.#stamps = new Map([...this.#stamps, ...[...stamps].filter(([file]) => isNew(file))]);
    this.#arm(folders);
    this.#lookIn(this.#everyMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#arm(new Set());
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), Math.max(ms, this.#notBeforeMs - performance.now()));
  }

  #look(): void {
    const startedMs = performance.now();
    const { stamps, folders } = readStamps(this.#watched);
    const changed = [...stamps].filter(([file, stamp]) => this.#stamps.get(file) !== stamp);
    const isWatched = (file: string): boolean =>
      [...this.#watched.paths].some((one) => isAtOrBelow(file, one));
    const gone = [...this.#stamps].filter(([file]) => !stamps.has(file) && isWatched(file));
    this.#stamps = stamps;
    // A folder that was removed and made again is another one, whose watch has ended.
    if (changed.length + gone.length > 0) this.#arm(new Set());
    this.#arm(folders);
    for (const [file] of [...changed, ...gone]) this.#onChange(file);
    this.#notBeforeMs = performance.now() + restPerLook * (performance.now() - startedMs);
    this.#lookIn(this.#everyMs);
  }

  #arm(folders: ReadonlySet<string>): void {
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    if (!this.#usesSystem) return;
    for (const folder of folders) {
      if (this.#watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, () => this.#lookIn(lookAfterMs));
        watcher.on('error', () => this.#lookIn(lookAfterMs));
        this.#watchers.set(folder, watcher);
      } catch {
        // It has gone meanwhile, or the system watches no more folders: the next look sees what changed.
      }
    }
  }
}

/** The size and times of each file at or below the paths, and the folders in which a change may matter. */
function readStamps({ paths, leftOut }: WatchedPaths): { stamps: Map<string, string>; folders: Set<string> } {
  const stamps = new Map<string, string>();
  const folders = new Set<string>();
  const visited = new Set<string>();
  const visit = (absolute: string): void => {
    try {
      const stats = statSync(absolute, { bigint: true });
      stamps.set(absolute, stats.isDirectory() ? 'folder' : JSON.stringify(stampOf(stats)));
      const key = `${stats.dev} ${stats.ino}`;
      // Links may lead in a circle; the run itself names them.
      if (!stats.isDirectory() || visited.has(key)) return;
      visited.add(key);
      folders.add(absolute);
      for (const name of readdirSync(absolute)) {
        const below = path.join(absolute, name);
        if (!leftOut.has(below)) visit(below);
      }
    } catch {
      // It may be a link that leads nowhere, or unreadable: the run itself says so.
      stamps.set(absolute, 'missing');
    }
  };
  for (const one of paths) {
    visit(one);
    for (const way of [one, realPathOf(one) ?? one]) folders.add(nearestFolder(way));
  }
  return { stamps, folders };
}

/** The folder of a path, or the nearest one above it that exists: what is missing appears there first. */
function nearestFolder(absolute: string): string {
  const folder = path.dirname(absolute);
  return folder === absolute || realPathOf(folder) !== null ? folder : nearestFolder(folder);
}

function realPathOf(absolute: string): string | null {
  try {
    return realpathSync(absolute);
  } catch {
    return null;
  }
}

/** Changes within this time count as one: a run should see all of them. */
const quietMs = 120;

/** A file that changes all the time, such as a log in an input folder, must not put a run off for ever. */
const patienceMs = 2_000;

/** Collects changes until there is a pause, or until they have gone on for two seconds. */
export class Changes {
  readonly #events = new EventEmitter();
  #files = new Set<string>();
  #count = 0;

  note(absolute: string): void {
    this.#files.add(absolute);
    this.#count += 1;
    this.#events.emit('change');
  }

  /** Waits for changes and then for a pause. @returns their paths; none once the signal is aborted */
  async next(signal: AbortSignal): Promise<readonly string[]> {
    try {
      if (this.#files.size === 0) await once(this.#events, 'change', { signal });
      const endMs = performance.now() + patienceMs;
      for (let seen = -1; seen !== this.#count && performance.now() < endMs; ) {
        seen = this.#count;
        await wait(quietMs, undefined, { signal });
      }
    } catch {
      return [];
    }
    const files = [...this.#files].sort();
    this.#files = new Set();
    return files;
  }
}
