import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isAtOrBelow } from '../../../files/path-below.ts';
import { stampOf } from '../../store/tree.ts';
import type { WatchedPaths } from './watched-paths.ts';

/** A quarter of a second without changes is a pause, too: editors and git change several files at once, and a run should see all of them. */
const everyMs = 250;

/** Looking takes at most one part in so many of the time. */
const restPerLook = 20;

/** A file that changes all the time, such as a log in an input folder, must not put a run off for ever. */
const patienceMs = 2_000;

/** Tells which files changed, by looking at the size and times of all of them: on any file system, links and moved folders included. */
export class PathWatcher {
  #watched: WatchedPaths = { paths: new Set(), leftOut: new Set() };
  #stamps: ReadonlyMap<string, string> = new Map();
  #changed = new Set<string>();
  #restMs = everyMs;

  /** Watches these instead. What has changed at paths that stay is still to be told. */
  update(watched: WatchedPaths): void {
    const added = [...watched.paths].filter((one) => !this.#watched.paths.has(one));
    const stamps = readStamps({ paths: new Set(added), leftOut: watched.leftOut });
    this.#stamps = new Map([...stamps, ...this.#stamps]);
    this.#watched = watched;
  }

  /** Waits for a change. @returns false once the signal is aborted */
  async hasChanged(signal: AbortSignal): Promise<boolean> {
    while (!this.#look() && this.#changed.size === 0) {
      if (!(await this.#rest(signal))) return false;
    }
    return true;
  }

  /** Waits for changes and then for a pause, at most for two seconds. @returns their paths; none once the signal is aborted */
  async next(signal: AbortSignal): Promise<readonly string[]> {
    if (!(await this.hasChanged(signal))) return [];
    const endMs = performance.now() + patienceMs;
    do {
      if (!(await this.#rest(signal))) return [];
    } while (this.#look() && performance.now() < endMs);
    const files = [...this.#changed].sort();
    this.#changed = new Set();
    return files;
  }

  #rest(signal: AbortSignal): Promise<boolean> {
    return wait(this.#restMs, true, { signal }).catch(() => false);
  }

  #look(): boolean {
    const startedMs = performance.now();
    const stamps = readStamps(this.#watched);
    const isWatched = (file: string): boolean =>
      [...this.#watched.paths].some((one) => isAtOrBelow(file, one));
    const changed = [
      ...[...stamps.keys()].filter((file) => this.#stamps.get(file) !== stamps.get(file)),
      ...[...this.#stamps.keys()].filter((file) => !stamps.has(file) && isWatched(file)),
    ];
    this.#stamps = stamps;
    for (const file of changed) this.#changed.add(file);
    this.#restMs = Math.max(everyMs, restPerLook * (performance.now() - startedMs));
    return changed.length > 0;
  }
}

/** The size and times of each file at or below the paths. */
function readStamps({ paths, leftOut }: WatchedPaths): Map<string, string> {
  const stamps = new Map<string, string>();
  const visited = new Set<string>();
  const visit = (absolute: string): void => {
    try {
      const stats = statSync(absolute, { bigint: true });
      stamps.set(absolute, stats.isDirectory() ? 'folder' : JSON.stringify(stampOf(stats)));
      const key = `${stats.dev} ${stats.ino}`;
      // Links may lead in a circle; the run itself names them.
      if (!stats.isDirectory() || visited.has(key)) return;
      visited.add(key);
      for (const name of readdirSync(absolute)) {
        const below = path.join(absolute, name);
        if (!leftOut.has(below)) visit(below);
      }
    } catch {
      // It may be a link that leads nowhere, or unreadable: the run itself says so.
      stamps.set(absolute, 'missing');
    }
  };
  for (const one of paths) visit(one);
  return stamps;
}
