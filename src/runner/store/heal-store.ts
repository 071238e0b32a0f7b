import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../../errors.ts';
import { compareCodeUnits } from '../../files/canonical-json.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import type { CacheFolder } from './cache-folder.ts';
import { listIntact, type Tree, type TreeEntry } from './digest.ts';
import { hashEach, hashFiles } from './hash-files.ts';
import { type LostObject, listLacking } from './lost-objects.ts';
import { type RecordedOutput, Records, type RunRecord } from './records.ts';
import { Store } from './store.ts';
import { scanTree } from './tree.ts';

/** An output that is neither in the store nor, intact, in its place. */
export interface GoneOutput extends Pick<RunRecord, 'id' | 'stage' | 'profile'> {
  readonly output: string;
}

export interface Unsettled {
  readonly path: string;
  /** Follows the path: `could not be read: permission is denied (EACCES)`. */
  readonly problem: string;
}

export interface Healed {
  /** Files and folders in place, relative to the project and sorted, from which the store has again what it had lost. */
  readonly storedAgain: readonly string[];
  readonly gone: readonly GoneOutput[];
  readonly unsettled: readonly Unsettled[];
}

interface Inspected {
  readonly record: RunRecord;
  readonly output: RecordedOutput;
  readonly absolute: string;
  /** Its files; null if the list is lost. */
  readonly tree: Tree | null;
  readonly isListed: boolean;
  readonly problem: unknown;
}

/**
 * Re-stores what the store lacks of the last results of all instances from intact outputs: every byte is compared with the record. A failure
 * with one output does not stop the others. Call it while holding the lock.
 */
export async function healStore(projectRoot: string, folder: CacheFolder): Promise<Healed> {
  const healing = new Healing(projectRoot, folder);
  try {
    return await healing.run();
  } finally {
    // If this fails, the next run empties the folder.
    await fs.rm(healing.temporary, { recursive: true, force: true }).catch(() => {});
  }
}

class Healing {
  readonly temporary: string;
  readonly #projectRoot: string;
  readonly #folder: CacheFolder;
  readonly #store: Store;
  readonly #storedAgain = new Set<string>();
  readonly #gone: GoneOutput[] = [];
  readonly #unsettled: Unsettled[] = [];

  constructor(projectRoot: string, folder: CacheFolder) {
    this.#projectRoot = projectRoot;
    this.#folder = folder;
    this.#store = new Store(folder.store);
    this.temporary = path.join(folder.temporary, `verify-${process.pid}`);
  }

  async run(): Promise<Healed> {
    const all: Inspected[] = [];
    const records = new Records(this.#folder);
    for (const record of records.listLast()) {
      if (records.findAction(record.fingerprint) === null) {
        await records
          .writeAction(record)
          .catch((error: unknown) =>
            this.#leave(this.#folder.actions, `could not keep the record of ${record.id}`, error),
          );
      }
      for (const output of record.outputs) all.push(await this.#inspect(record, output));
    }
    const wanted = all.flatMap(({ tree }) => (tree === null ? [] : listLacking(this.#store, tree)));
    const inPlace = await findCopiesInPlace(
      wanted,
      all.map(({ absolute }) => absolute),
    );
    for (const one of all) await this.#heal(one, inPlace);
    const storedAgain = [...this.#storedAgain].sort(compareCodeUnits);
    return { storedAgain, gone: this.#gone, unsettled: this.#unsettled };
  }

  async #inspect(record: RunRecord, output: RecordedOutput): Promise<Inspected> {
    const absolute = path.resolve(this.#projectRoot, output.path);
    const listed = await this.#store.treeFor(output.kind, output.digest, output.sizeBytes);
    const base = { record, output, absolute, isListed: listed !== null, problem: undefined };
    if (listed !== null) return { ...base, tree: listed };
    try {
      return { ...base, tree: await listIntact(absolute, output.digest) };
    } catch (problem) {
      return { ...base, tree: null, problem };
    }
  }

  async #heal(
    { record, output, absolute, tree, isListed, problem }: Inspected,
    { copies, problems }: CopiesInPlace,
  ): Promise<void> {
    let isWhole = false;
    if (tree !== null) {
      // Anew: an output before this one may have had the same content.
      const lost = listLacking(this.#store, tree).flatMap(({ sha256 }): LostObject[] => {
        const from = copies.get(sha256);
        return from === undefined ? [] : [{ kind: 'file', sha256, from, name: this.#nameOf(from) }];
      });
      if (!isListed) lost.push({ kind: 'tree', digest: output.digest, tree, name: output.path });
      try {
        const unlike = lost.length === 0 ? [] : await this.#store.storeAgain(lost, this.temporary);
        for (const one of lost) if (!unlike.includes(one)) this.#storedAgain.add(one.name);
      } catch (error) {
        return this.#leave(absolute, 'could not be re-stored', error);
      }
      isWhole = listLacking(this.#store, tree).length === 0;
    }
    if (isWhole) return;
    const why = problem ?? problems.get(absolute);
    if (why !== undefined) return this.#leave(absolute, 'could not be read', why);
    const { id, stage, profile } = record;
    this.#gone.push({ id, stage, profile, output: output.path });
  }

  #leave(absolute: string, what: string, error: unknown): void {
    const problem = `${what}: ${describeShortly(error, this.#projectRoot)}`;
    this.#unsettled.push({ path: this.#nameOf(absolute), problem });
  }

  #nameOf(absolute: string): string {
    return path.relative(this.#projectRoot, absolute).split(path.sep).join('/');
  }
}

export function describeShortly(error: unknown, projectRoot: string): string {
  const explained = explainDiskError(error);
  if (!(explained instanceof Error)) return String(explained);
  const where = explained instanceof ReproError ? explained.where : undefined;
  return where === undefined
    ? explained.message
    : `${explained.message}: ${path.relative(projectRoot, where)}`;
}

interface CopiesInPlace {
  /** sha256 -> absolute path of a file that has just this content. */
  readonly copies: ReadonlyMap<string, string>;
  /** What could not be read, in part or at all: absolute path of the output -> why. */
  readonly problems: ReadonlyMap<string, unknown>;
}

/**
 * Looks for contents in all outputs, wherever in them: the same may be in several, and only one need be intact. Files of other sizes are not
 * read.
 */
async function findCopiesInPlace(
  wanted: readonly TreeEntry[],
  outputs: readonly string[],
): Promise<CopiesInPlace> {
  const sizes = new Set(wanted.map(({ size }) => size));
  const missing = new Set(wanted.map(({ sha256 }) => sha256));
  const copies = new Map<string, string>();
  const problems = new Map<string, unknown>();
  if (wanted.length === 0) return { copies, problems };
  for (const output of outputs) {
    try {
      const { files } = await scanTree(output);
      const candidates = files.filter(({ stamp }) => sizes.has(stamp.size));
      const hashes = await hashFiles(candidates).catch(() =>
        hashEach(candidates, (error) => problems.set(output, error)),
      );
      for (const [i, { absolute }] of candidates.entries()) {
        const sha256 = hashes[i] ?? null;
        if (sha256 !== null && missing.has(sha256) && !copies.has(sha256)) copies.set(sha256, absolute);
      }
    } catch (error) {
      problems.set(output, error);
    }
  }
  return { copies, problems };
}
