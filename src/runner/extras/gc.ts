import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { syncFolder } from '../../base/files/atomic-file.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { explainDiskError } from '../../base/files/disk-error.ts';
import { removeEmptyFolder } from '../../base/files/folders.ts';
import { acquireLock, type Lock } from '../../base/files/lock.ts';
import { refuseOutstanding } from '../jobs/jobs-folder.ts';
import { type CacheFolder, cacheFolderOf, fileNameOf, listNames, listParts } from '../store/cache-folder.ts';
import { Records, type RunRecord, readRecordFile } from '../store/records.ts';
import { Store } from '../store/store.ts';

export interface GarbageOptions {
  readonly projectRoot: string;
  /** Records of runs that ended within so many days are kept, too. */
  readonly days?: number;
  /** Stages or instances whose last results need not be kept. */
  readonly forgotten?: readonly string[];
  readonly isDryRun: boolean;
  readonly nowMs?: number;
}

interface GarbageReport {
  /** Files and folders that nothing needs, absolute; in the order in which they are removed. */
  readonly garbage: readonly string[];
  readonly sizeBytes: number;
  readonly keptRecords: number;
  /** The records among the garbage that could be read, oldest first. */
  readonly removedRecords: readonly RunRecord[];
}

const dayMs = 86_400_000;

/** Logs of failed stages, interrupted work that was set aside, and compiled stages stay at least this long. */
const untouchedDays = 30;

/**
 * Removes from the cache what no kept record needs, under the lock: while stages run it is refused, and no stage starts meanwhile. Kept are
 * the last record of each instance, the last that each profile computed or used (trials do not count), and those of the last `days`.
 *
 * @throws {ReproError} `locked` if a run holds the folder; `usage` if a name is that of no record; `disk-…`
 */
export async function collectGarbage(options: GarbageOptions): Promise<GarbageReport> {
  const folder = cacheFolderOf(options);
  if (options.isDryRun) return inspect(options, folder);
  try {
    const lock = await lockOnFullDisk(folder);
    try {
      refuseOutstanding(folder);
      const report = await inspect(options, folder);
      await sweep(report.garbage);
      return report;
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw explainDiskError(error, { doing: 'the cache could not be cleaned' });
  }
}

/** A full disk is the best reason to clean, but leaves no room for the lock: what only saves time goes first, and needs no lock. */
async function lockOnFullDisk(folder: CacheFolder): Promise<Lock> {
  return acquireLock(folder.lock).catch(async (error: unknown) => {
    if (!hasErrorCode(error, 'ENOSPC', 'EDQUOT')) throw error;
    for (const file of [folder.digests, ...list(folder.logs).filter((one) => one.endsWith('.previous.log'))])
      await fs.rm(file, { force: true });
    return acquireLock(folder.lock);
  });
}

async function inspect(options: GarbageOptions, folder: CacheFolder): Promise<GarbageReport> {
  const { days = 0, forgotten = [], nowMs = Date.now() } = options;
  const records = new Records(folder);
  const last = records.listLast();
  const all = [...last, ...records.listActions()];
  // A name that no record has is most likely misspelt.
  const idle = forgotten.find((name) => !all.some((record) => isNamed(record, [name])));
  if (idle !== undefined) {
    const fix = 'Name a stage or an instance, such as train or train@baseline,2020.';
    throw new ReproError('usage', `--forget: there is no record of "${idle}"`, { fix });
  }
  // Those of each profile, too: a trial, or a profile that ran since, must not cost weeks of training.
  const used = await records.listUsed();
  const inUse = all.filter(({ fingerprint }) => used.has(fingerprint));
  const needed = [...last, ...newestOf(all), ...inUse].filter((record) => !isNamed(record, forgotten));
  const kept = [...needed, ...all.filter((record) => endOf(record) >= nowMs - days * dayMs)];
  const keptPrints = new Set(kept.map(({ fingerprint }) => fingerprint));
  const prints = new Map(all.map((record) => [record.fingerprint, record]));
  const removed = [...prints.values()].filter(({ fingerprint }) => !keptPrints.has(fingerprint));
  const content = await findContent(kept, new Store(folder.store));
  const oldBeforeMs = nowMs - Math.max(untouchedDays, days) * dayMs;
  const logs = new Set(kept.map(({ id }) => fileNameOf(id)));
  const isOld = async (file: string) => (await measure(file)).newestMs < oldBeforeMs;

  const garbage: string[] = [];
  let sizeBytes = 0;
  const add = async (
    files: readonly string[],
    isGarbage: (file: string, name: string) => boolean | Promise<boolean>,
  ): Promise<void> => {
    for (const file of files) {
      if (!file.endsWith('.partial') && !(await isGarbage(file, path.basename(file)))) continue;
      garbage.push(file);
      sizeBytes += (await measure(file)).sizeBytes;
    }
  };
  // Records go before what they name, so that a run never finds a record without noticing that its outputs are gone.
  const recorded = [...list(folder.records), ...(await listParts(folder.actions))];
  await add(recorded, (file) => file.endsWith('.json') && !isKept(file, keptPrints));
  for (const part of ['trees', 'files']) {
    const stored = await listParts(path.join(folder.store, part));
    await add(stored, (_, name) => !content.has(name));
  }
  await add(list(folder.resume), (file, name) => prints.has(name) || isOld(file));
  const idOf = (name: string): string => name.replace(/(\.previous)?\.log$/, '');
  await add(list(folder.logs), (file, name) => !logs.has(idOf(name)) && isOld(file));
  await add([...list(folder.attempts), ...list(folder.code)], isOld);
  await add(list(folder.temporary), () => true);
  // Incomplete files of what only saves time, of notes, and of resume folders that were being removed.
  const isGone = (file: string): boolean => garbage.includes(path.dirname(file));
  const parts = [...(await listParts(folder.resume)), ...(await listParts(folder.profiles))];
  const others = [...list(folder.root), ...parts].filter((file) => !isGone(file));
  await add(others, () => false);
  return {
    ...{ garbage, sizeBytes, keptRecords: keptPrints.size },
    removedRecords: removed.sort((a, b) => compareCodeUnits(a.startedAt, b.startedAt)),
  };
}

function isNamed({ id, stage }: RunRecord, names: readonly string[]): boolean {
  return names.some((name) => name === id || name === stage);
}

function newestOf(records: readonly RunRecord[]): Iterable<RunRecord> {
  const newest = new Map<string, RunRecord>();
  for (const record of records) {
    if (record.overrides !== undefined) continue;
    const key = JSON.stringify([record.id, record.profile]);
    const known = newest.get(key);
    if (known === undefined || endOf(record) > endOf(known)) newest.set(key, record);
  }
  return newest.values();
}

function endOf({ startedAt, seconds }: RunRecord): number {
  return Date.parse(startedAt) + seconds * 1000;
}

/** A damaged record counts as missing in every run, so it is garbage. */
function isKept(file: string, prints: ReadonlySet<string>): boolean {
  const record = readRecordFile(file);
  return record !== null && prints.has(record.fingerprint);
}

/** The names in the store of all that records need: logs, outputs, and the lists of input folders, which explain a later difference. */
async function findContent(records: Iterable<RunRecord>, store: Store): Promise<ReadonlySet<string>> {
  const digests = new Set<string>();
  const names = new Set<string>();
  for (const { outputs, parts, log } of records) {
    if (log !== undefined) names.add(log);
    for (const { digest } of outputs) digests.add(digest);
    for (const { digest, of = {} } of parts.inputs)
      for (const one of [digest, ...Object.values(of)]) if (one !== null) digests.add(one);
  }
  for (const digest of digests) {
    names.add(digest);
    const tree = await store.findTree(digest);
    if (tree !== null) names.add(`${digest}.json`);
    for (const { sha256 } of tree?.entries ?? []) names.add(sha256);
  }
  return names;
}

function list(folder: string): string[] {
  return listNames(folder).map((name) => path.join(folder, name));
}

/** The size of everything at or below a path, and when the newest of it was changed: a folder's own time does not change with its files. */
async function measure(target: string): Promise<{ readonly sizeBytes: number; readonly newestMs: number }> {
  const stats = await fs.lstat(target).catch(() => null);
  if (stats === null) return { sizeBytes: 0, newestMs: Number.POSITIVE_INFINITY };
  if (!stats.isDirectory()) return { sizeBytes: stats.size, newestMs: stats.mtimeMs };
  const below = await Promise.all(list(target).map(measure));
  return {
    sizeBytes: below.reduce((sum, one) => sum + one.sizeBytes, 0),
    newestMs: Math.max(stats.mtimeMs, ...below.map((one) => one.newestMs)),
  };
}

/** After a kill at any moment the rest is still garbage. */
async function sweep(garbage: readonly string[]): Promise<void> {
  let folder = '';
  const leave = async (): Promise<void> => {
    if (folder === '') return;
    await syncFolder(folder);
    // Those named by the first two letters of a digest.
    if (/^[0-9a-f]{2}$/.test(path.basename(folder))) await removeEmptyFolder(folder);
  };
  for (const file of garbage) {
    if (path.dirname(file) !== folder) await leave();
    folder = path.dirname(file);
    await fs.rm(file, { recursive: true, force: true });
  }
  await leave();
}
