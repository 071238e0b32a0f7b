import { readFileSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomic } from '../../base/files/atomic-file.ts';
import { type FileStamp, isSameStamp } from './tree.ts';

/** Size, modification and change time in ns, inode, sha256; an array, since there may be 100,000 of them. */
type Entry = readonly [size: number, mtimeNs: string, ctimeNs: string, ino: string, sha256: string];

const formatVersion = 1;

/** A kernel stamps files with the time of its last tick, at most 10 ms ago; the rest is a safety margin. */
const fineGrainNs = 20_000_000n;

/** FAT counts in steps of 2 s, others in whole seconds. */
const coarseGrainNs = 2_100_000_000n;

/**
 * Remembers file hashes keyed by `stat` data, so that unchanged files are not read again.
 *
 * A file modified just before it was hashed is not remembered: it could be modified again within the same tick of
 * the file system's clock and keep its timestamp.
 */
export class DigestCache {
  readonly #file: string;
  /** The project's folder with its separator: made once, since it is compared with every path. */
  readonly #inside: string;
  readonly #entries: Map<string, Entry>;
  #isChanged = false;

  /** A missing or damaged cache file counts as empty: it only saves time. */
  constructor(file: string, projectRoot: string) {
    this.#file = file;
    this.#inside = `${projectRoot}${path.sep}`;
    this.#entries = readEntries(file);
  }

  find(absolute: string, stamp: FileStamp): string | undefined {
    const entry = this.#entries.get(this.#keyOf(absolute));
    if (entry === undefined) return undefined;
    const [size, mtimeNs, ctimeNs, ino, sha256] = entry;
    return isSameStamp(stamp, { size, mtimeNs, ctimeNs, ino }) ? sha256 : undefined;
  }

  /** @param hashedAtMs when reading began, by `Date.now()` */
  remember(absolute: string, stamp: FileStamp, sha256: string, hashedAtMs: number): void {
    if (!isSettled(stamp, hashedAtMs)) return;
    this.#entries.set(this.#keyOf(absolute), [stamp.size, stamp.mtimeNs, stamp.ctimeNs, stamp.ino, sha256]);
    this.#isChanged = true;
  }

  async save(): Promise<void> {
    if (!this.#isChanged) return;
    await writeFileAtomic(
      this.#file,
      JSON.stringify({ version: formatVersion, entries: Object.fromEntries(this.#entries) }),
    );
    this.#isChanged = false;
  }

  /** Relative inside the project, so that a moved project keeps its cache. */
  #keyOf(absolute: string): string {
    return absolute.startsWith(this.#inside) ? absolute.slice(this.#inside.length) : absolute;
  }
}

function isSettled(stamp: FileStamp, hashedAtMs: number): boolean {
  const mtimeNs = BigInt(stamp.mtimeNs);
  const ctimeNs = BigInt(stamp.ctimeNs);
  const newestNs = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  const grainNs = ctimeNs % 1_000_000n === 0n ? coarseGrainNs : fineGrainNs;
  return newestNs + grainNs < BigInt(Math.floor(hashedAtMs)) * 1_000_000n;
}

function readEntries(file: string): Map<string, Entry> {
  try {
    const { version, entries } = JSON.parse(readFileSync(file, 'utf8')) as {
      version: unknown;
      entries: Record<string, Entry>;
    };
    return new Map(version === formatVersion ? Object.entries(entries) : []);
  } catch {
    return new Map();
  }
}
