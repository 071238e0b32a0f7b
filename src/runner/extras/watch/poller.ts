import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { isAtOrBelow } from '../../../files/path-below.ts';
import { stampOf } from '../../store/tree.ts';
import type { Watcher } from './folder-watcher.ts';
import type { WatchedPaths } from './watched-paths.ts';

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

/** File -> what changes with it. */
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
