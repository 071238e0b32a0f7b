import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../../errors.ts';
import { syncFolder } from '../../../files/atomic-file.ts';
import { removeEmptyFolder } from '../../../files/folders.ts';
import { type CacheFolder, fileNameOf, listNames, listParts } from '../../store/cache-folder.ts';
import type { Tree } from '../../store/digest.ts';
import { type RunRecord, readRecordFile } from '../../store/records.ts';

interface Live {
  readonly records: ReadonlySet<RunRecord>;
  /** Fingerprints of all work that is finished here, kept or not. */
  readonly finished: ReadonlySet<string>;
  /** Logs and unfinished work that have not been touched since are garbage. */
  readonly oldBeforeMs: number;
  readonly treeOf: (digest: string) => Promise<Tree | null>;
}

/** Everything below the cache folder that nothing needs. Files that this version does not know are left alone. */
export async function findGarbage(folder: CacheFolder, live: Live): Promise<Garbage[]> {
  const { files, trees } = await findLiveContent(live);
  const prints = new Set([...live.records].map(({ fingerprint }) => fingerprint));
  const logs = new Set([...live.records].map(({ id }) => fileNameOf(id)));
  const bundles = await findBundles(folder.code);
  const found = new Map<string, Garbage>();
  const add = async (
    kind: GarbageKind,
    files: readonly string[],
    isGarbage: (file: string, name: string) => boolean | Promise<boolean>,
  ): Promise<void> => {
    for (const file of files) {
      if (found.has(path.dirname(file))) continue;
      const isPartial = file.endsWith('.partial');
      if (!isPartial && !(await isGarbage(file, path.basename(file)))) continue;
      found.set(file, {
        kind: isPartial ? 'leftovers' : kind,
        path: file,
        sizeBytes: await measureSize(file),
      });
    }
  };
  const isOld = (file: string) => isOlder(file, live.oldBeforeMs);
  const records = [...list(folder.records), ...(await listParts(folder.actions))];
  await add('records', records, (file) => file.endsWith('.json') && !isKeptRecord(file, prints));
  const stored = (part: string) => listParts(path.join(folder.store, part));
  await add('trees', await stored('trees'), (_, name) => !trees.has(path.basename(name, '.json')));
  await add('files', await stored('files'), (_, name) => !files.has(name));
  const isUnused = (name: string): boolean =>
    /^[0-9a-f]{64}\.mjs$/.test(name) && !bundles.has(path.basename(name, '.mjs'));
  await add('code', list(folder.code), (_, name) => isUnused(name));
  await add('resume', list(folder.resume), (file, name) => live.finished.has(name) || isOld(file));
  const idOf = (name: string): string => name.replace(/(\.previous)?\.log$/, '');
  await add('logs', list(folder.logs), (file, name) => !logs.has(idOf(name)) && isOld(file));
  await add('logs', list(folder.attempts), isOld);
  await add('leftovers', list(folder.temporary), () => true);
  // Incomplete files of what only saves time, and of resume folders that were moved between disks.
  const others = [...list(folder.root), ...(await listParts(folder.resume))];
  await add('leftovers', others, () => false);
  return [...found.values()];
}

function list(folder: string): string[] {
  return listNames(folder).map((name) => path.join(folder, name));
}

async function findLiveContent(live: Live): Promise<{ files: Set<string>; trees: Set<string> }> {
  const files = new Set<string>();
  const trees = new Set<string>();
  const addDigest = async (digest: string): Promise<void> => {
    files.add(digest);
    if (trees.has(digest)) return;
    const tree = await live.treeOf(digest);
    if (tree === null) return;
    trees.add(digest);
    for (const { sha256 } of tree.entries) files.add(sha256);
  };
  for (const { outputs, parts, log } of live.records) {
    if (log !== undefined) files.add(log);
    for (const { digest } of outputs) await addDigest(digest);
    // The lists of input folders explain a later difference.
    for (const input of parts.inputs) {
      for (const digest of [input.digest, ...Object.values(input.of ?? {})]) {
        if (digest !== null) await addDigest(digest);
      }
    }
  }
  return { files, trees };
}

/** A damaged record counts as missing in every run, so it is garbage. */
function isKeptRecord(file: string, prints: ReadonlySet<string>): boolean {
  const record = readRecordFile(file);
  return record !== null && prints.has(record.fingerprint);
}

/** The bundles that are in use, by the lists of sources beside them. */
async function findBundles(folder: string): Promise<ReadonlySet<string>> {
  const bundles = new Set<string>();
  for (const file of list(folder).filter((one) => one.endsWith('.json'))) {
    const text = await fs.readFile(file, 'utf8').catch(() => '');
    for (const [sha256] of text.matchAll(/[0-9a-f]{64}/g)) bundles.add(sha256);
  }
  return bundles;
}

/** By the newest file in it: a folder's own time does not change with its files. */
async function isOlder(target: string, beforeMs: number): Promise<boolean> {
  const stats = await fs.lstat(target).catch(() => null);
  if (stats === null || stats.mtimeMs >= beforeMs) return false;
  if (!stats.isDirectory()) return true;
  for (const one of list(target)) if (!(await isOlder(one, beforeMs))) return false;
  return true;
}

/**
 * In the order in which they are removed: records before what they name, so that a run never finds a record without noticing that its
 * outputs are gone.
 */
export const garbageKinds = ['records', 'trees', 'files', 'code', 'resume', 'logs', 'leftovers'] as const;

export type GarbageKind = (typeof garbageKinds)[number];

/** A file or folder that nothing needs. */
export interface Garbage {
  readonly kind: GarbageKind;
  readonly path: string;
  readonly sizeBytes: number;
}

/** Removes garbage in the order of {@link garbageKinds}; after a kill at any moment the rest is still garbage. */
export async function sweep(garbage: readonly Garbage[]): Promise<void> {
  for (const kind of garbageKinds) {
    const ofKind = garbage.filter((one) => one.kind === kind);
    for (const one of ofKind) await fs.rm(one.path, { recursive: true, force: true });
    for (const folder of new Set(ofKind.map((one) => path.dirname(one.path)))) {
      await syncFolder(folder).catch((error: unknown) => {
        if (!hasErrorCode(error, 'ENOENT')) throw error;
      });
      // Those named by the first two letters of a digest.
      if (/^[0-9a-f]{2}$/.test(path.basename(folder))) await removeEmptyFolder(folder);
    }
  }
}

/** The size of everything at or below a path; 0 if it is gone. */
export async function measureSize(target: string): Promise<number> {
  const stats = await fs.lstat(target).catch(() => null);
  if (stats === null) return 0;
  if (!stats.isDirectory()) return stats.size;
  let sizeBytes = 0;
  for (const one of list(target)) sizeBytes += await measureSize(one);
  return sizeBytes;
}
