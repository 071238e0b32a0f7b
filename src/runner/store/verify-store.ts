import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { compareCodeUnits } from '../../files/canonical-json.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import { acquireLock } from '../../files/lock.ts';
import { withSlashes } from '../../files/path-below.ts';
import { type CacheFolder, cacheFolderOf, fileNameOf, listNames, listParts } from './cache-folder.ts';
import { digestOutput, digestTree, isSafeTree } from './digest.ts';
import { hashParts } from './fingerprint-parts.ts';
import { hashFiles } from './hash-files.ts';
import { listLost, putAgain } from './lost-outputs.ts';
import { type RecordedOutput, Records, type RunRecord, readRecordFile } from './records.ts';
import { Store } from './store.ts';
import { type FileStamp, readStamp, scanTree } from './tree.ts';

/** An output that is neither in the store nor, intact, in its place. */
export interface GoneOutput extends Pick<RunRecord, 'id' | 'stage' | 'profile'> {
  readonly output: string;
}

interface Unsettled {
  readonly path: string;
  /** Follows the path: `could not be read: permission is denied (EACCES)`. */
  readonly problem: string;
}

/** Stored text of a source file, which `explain` compares with the present one. */
interface LostSource {
  readonly source: string;
  /** The instances whose records name it, sorted. */
  readonly ids: readonly string[];
}

interface StoreCheck {
  readonly files: number;
  readonly bytes: number;
  /** What was damaged and has been removed; absolute, sorted. Some of it may have been stored again since. */
  readonly damaged: readonly string[];
  /** Files and folders in place, relative to the project and sorted, that the store lacked and has again. */
  readonly storedAgain: readonly string[];
  readonly gone: readonly GoneOutput[];
  /** File names (see {@link fileNameOf}) of the instances whose last record was removed, and of which no other is left; sorted. */
  readonly lostRecords: readonly string[];
  /** Source texts that were removed. */
  readonly lostSources: readonly LostSource[];
  readonly unsettled: readonly Unsettled[];
}

interface StoreCheckOptions {
  readonly projectRoot: string;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Reads everything in the store, and removes what is not what its name says: a disk or a power cut has damaged it, and a run
 * would find that out only when it needs it. Then re-stores outputs that are intact in place. Holds the lock meanwhile.
 *
 * @throws {ReproError} `locked` if a run holds the folder; `disk-…`
 */
export async function verifyStore({ projectRoot, onProgress }: StoreCheckOptions): Promise<StoreCheck> {
  const folder = cacheFolderOf({ projectRoot });
  const records = new Records(folder);
  const steps = new Steps(projectRoot);
  try {
    const lock = await acquireLock(folder.lock);
    try {
      const objects = await listObjects(folder);
      const { bytes, damaged } = await findDamaged(objects, onProgress);
      const removed = new Set<string>();
      for (const file of damaged.sort()) {
        await steps.try(file, 'is damaged, and could not be removed', async () => {
          await fs.rm(file, { recursive: true, force: true });
          removed.add(file);
        });
      }
      for (const record of records.listLast()) {
        if (records.findAction(record.fingerprint) !== null) continue;
        const failure = `could not keep the record of ${record.id}`;
        await steps.try(folder.actions, failure, () => records.writeAction(record));
      }
      const healed = await heal(folder, records.listLast(), steps);
      const lostFiles = objects.files.filter((file) => removed.has(file) && !existsSync(file));
      return {
        files: Object.values(objects).flat().length,
        bytes,
        damaged: [...removed],
        ...healed,
        lostRecords: findLostRecords(
          objects.last.filter((file) => removed.has(file)),
          records,
        ),
        lostSources: findLostSources(lostFiles, records),
        unsettled: steps.unsettled,
      };
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw explainDiskError(error, { doing: 'the store could not be checked' });
  }
}

/** What fails with one file does not stop the others. */
class Steps {
  readonly unsettled: Unsettled[] = [];
  readonly projectRoot: string;

  constructor(projectRoot: string) {
    this.projectRoot = projectRoot;
  }

  /** @returns undefined if it failed */
  async try<T>(file: string, failure: string, step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      const explained = explainDiskError(error);
      const text = explained instanceof Error ? explained.message : String(explained);
      const where = explained instanceof ReproError ? explained.where : undefined;
      const problem = `${failure}: ${text}${where === undefined ? '' : `: ${this.#nameOf(where)}`}`;
      this.unsettled.push({ path: this.#nameOf(file), problem });
      return undefined;
    }
  }

  #nameOf(file: string): string {
    return withSlashes(path.relative(this.projectRoot, file));
  }
}

interface Objects {
  readonly files: readonly string[];
  readonly trees: readonly string[];
  readonly actions: readonly string[];
  readonly last: readonly string[];
}

async function listObjects(folder: CacheFolder): Promise<Objects> {
  const isWhole = (file: string): boolean => !file.endsWith('.partial');
  const last = listNames(folder.records).map((name) => path.join(folder.records, name));
  return {
    files: (await listParts(path.join(folder.store, 'files'))).filter(isWhole),
    trees: (await listParts(path.join(folder.store, 'trees'))).filter(isWhole),
    actions: (await listParts(folder.actions)).filter(isWhole),
    last: last.filter((file) => file.endsWith('.json')),
  };
}

async function findDamaged(
  { files, trees, actions, last }: Objects,
  onProgress: StoreCheckOptions['onProgress'],
): Promise<{ bytes: number; damaged: string[] }> {
  const damaged: string[] = [];
  const stamped: { readonly absolute: string; readonly stamp: FileStamp | null }[] = [];
  for (const absolute of files)
    stamped.push({ absolute, stamp: await unlessUnreadable(() => readStamp(absolute)) });
  const bytes = stamped.reduce((sum, { stamp }) => sum + (stamp?.size ?? 0), 0);
  let doneBytes = 0;
  for (const { absolute, stamp } of stamped) {
    const hashes = stamp && (await unlessUnreadable(() => hashFiles([{ absolute, stamp }])));
    if (hashes?.[0] !== path.basename(absolute)) damaged.push(absolute);
    doneBytes += stamp?.size ?? 0;
    onProgress?.(doneBytes, bytes);
  }
  for (const file of trees) if (!(await isIntactTree(file))) damaged.push(file);
  for (const file of actions) if (!isIntactRecord(file, 'fingerprint')) damaged.push(file);
  for (const file of last) if (!isIntactRecord(file, 'id')) damaged.push(file);
  return { bytes, damaged };
}

/** @returns null if a file cannot be read; lack of memory or file handles, which says nothing about the file, is thrown */
async function unlessUnreadable<T>(read: () => T | Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (hasErrorCode(error, 'EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN')) throw error;
    return null;
  }
}

/** Whether a file is a record of the name that it has, and its fingerprint that of its parts. */
function isIntactRecord(file: string, key: 'fingerprint' | 'id'): boolean {
  const record = readRecordFile(file);
  return (
    record !== null &&
    hashParts(record.parts) === record.fingerprint &&
    `${fileNameOf(record[key])}.json` === path.basename(file)
  );
}

async function isIntactTree(file: string): Promise<boolean> {
  try {
    const tree: unknown = JSON.parse(await fs.readFile(file, 'utf8'));
    return isSafeTree(tree) && `${digestTree(tree)}.json` === path.basename(file);
  } catch {
    return false;
  }
}

/** Re-stores what the store lacks of outputs that are intact in place; what is nowhere is gone. */
async function heal(
  folder: CacheFolder,
  last: readonly RunRecord[],
  steps: Steps,
): Promise<Pick<StoreCheck, 'storedAgain' | 'gone'>> {
  const store = new Store(folder.store);
  const storedAgain = new Set<string>();
  const unread = new Set<RecordedOutput>();
  const outputs = last.flatMap((record) => record.outputs.map((output) => ({ record, output })));
  for (const { output } of outputs) {
    if (await store.hasOutput(output)) continue;
    const absolute = path.resolve(steps.projectRoot, output.path);
    const found = await steps.try(absolute, 'could not be read', () => digestOutput(absolute, null));
    if (found === undefined) unread.add(output);
    else if (found.kind === output.kind && found.digest === output.digest) {
      const names = listLost(store, output, found.tree);
      await steps.try(absolute, 'could not be re-stored', async () => {
        const temporary = path.join(folder.temporary, `verify-${process.pid}`);
        await putAgain(store, output, await scanTree(absolute), temporary);
        for (const name of names) storedAgain.add(name);
      });
    }
  }
  const gone: GoneOutput[] = [];
  for (const { record, output } of outputs) {
    if (unread.has(output) || (await store.hasOutput(output))) continue;
    const { id, stage, profile } = record;
    gone.push({ id, stage, profile, output: output.path });
  }
  return { storedAgain: [...storedAgain].sort(compareCodeUnits), gone };
}

/** The instances of removed last records of which no other record is left, by the names of the files. */
function findLostRecords(removed: readonly string[], records: Records): string[] {
  const left = new Set([...records.listActions(), ...records.listLast()].map(({ id }) => fileNameOf(id)));
  const names = removed.map((file) => path.basename(file, '.json'));
  return names.filter((name) => !left.has(name)).sort(compareCodeUnits);
}

/** The source texts among removed objects of the store, by the records that name them. */
function findLostSources(removed: readonly string[], records: Records): LostSource[] {
  const lost = new Set(removed.map((file) => path.basename(file)));
  const found = new Map<string, Set<string>>();
  for (const { id, sources = {} } of [...records.listActions(), ...records.listLast()]) {
    for (const [source, sha256] of Object.entries(sources)) {
      if (lost.has(sha256)) found.set(source, (found.get(source) ?? new Set()).add(id));
    }
  }
  return [...found]
    .map(([source, ids]) => ({ source, ids: [...ids].sort(compareCodeUnits) }))
    .sort((a, b) => compareCodeUnits(a.source, b.source));
}
