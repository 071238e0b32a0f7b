import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../../errors.ts';
import { syncFolder } from '../../../files/atomic-file.ts';
import { removeEmptyFolder } from '../../../files/folders.ts';
import { listLeftoverFolders } from '../../jobs/jobs-folder.ts';
import { type CacheFolder, fileNameOf, listParts } from '../../store/cache-folder.ts';
import type { Tree } from '../../store/digest.ts';
import { type RunRecord, readRecordFile } from '../../store/records.ts';

interface Live {
  readonly records: ReadonlySet<RunRecord>;
  /** Fingerprints of all work that is finished here, kept or not. */
  readonly finished: ReadonlySet<string>;
  /** Logs and unfinished work that have not been touched since are garbage. */
  readonly oldBeforeMs: number;
  /** Half-made folders of jobs that have not been touched since are garbage. */
  readonly brokenOffBeforeMs: number;
  readonly treeOf: (digest: string) => Promise<Tree | null>;
}

/** Everything below the cache folder that nothing needs. Files that this version does not know are left alone. */
export async function findGarbage(folder: CacheFolder, live: Live): Promise<Garbage[]> {
  const { files, trees } = await findLiveContent(live);
  const prints = new Set([...live.records].map(({ fingerprint }) => fingerprint));
  const ids = new Set([...live.records].map(({ id }) => fileNameOf(id)));
  const found: Garbage[] = [];
  const add = async (kind: GarbageKind, file: string): Promise<void> => {
    found.push({ kind, path: file, sizeBytes: await measureSize(file) });
  };
  for (const file of [...(await listFiles(folder.records)), ...(await listParts(folder.actions))]) {
    if (isPartial(file)) await add('leftovers', file);
    else if (file.endsWith('.json') && !isKeptRecord(file, prints)) await add('records', file);
  }
  for (const file of await listParts(path.join(folder.store, 'trees'))) {
    if (isPartial(file)) await add('leftovers', file);
    else if (!trees.has(path.basename(file, '.json'))) await add('trees', file);
  }
  for (const file of await listParts(path.join(folder.store, 'files'))) {
    if (isPartial(file)) await add('leftovers', file);
    else if (!files.has(path.basename(file))) await add('files', file);
  }
  const bundles = await findBundles(folder.code);
  for (const file of await listFiles(folder.code)) {
    const [, bundle] = /^([0-9a-f]{64})\.mjs$/.exec(path.basename(file)) ?? [];
    if (isPartial(file)) await add('leftovers', file);
    else if (bundle !== undefined && !bundles.has(bundle)) await add('code', file);
  }
  for (const print of await list(folder.resume)) {
    const aside = path.join(folder.resume, print);
    if (isPartial(print)) await add('leftovers', aside);
    else if (live.finished.has(print) || (await isOld(aside, live.oldBeforeMs))) await add('resume', aside);
    else {
      // Half a copy between disks, or half a removal.
      for (const name of (await list(aside)).filter(isPartial))
        await add('leftovers', path.join(aside, name));
    }
  }
  for (const file of await listFiles(folder.logs)) {
    const name = path.basename(file).replace(/(\.previous)?\.log$/, '');
    if (!ids.has(name) && (await isOld(file, live.oldBeforeMs))) await add('logs', file);
  }
  for (const file of await listFiles(folder.attempts)) {
    if (isPartial(file)) await add('leftovers', file);
    else if (await isOld(file, live.oldBeforeMs)) await add('logs', file);
  }
  // Beside files that only save time; a command that is writing one just does without.
  for (const file of [
    ...(await listFiles(folder.root)),
    ...(await listFiles(path.join(folder.root, 'documents'))),
  ]) {
    if (isPartial(file)) await add('leftovers', file);
  }
  for (const left of await listLeftoverFolders(folder.jobs)) {
    if (await isOld(left, live.brokenOffBeforeMs)) await add('leftovers', left);
  }
  for (const name of await list(folder.temporary)) await add('leftovers', path.join(folder.temporary, name));
  return found;
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
  for (const { outputs, sources, parts, log } of live.records) {
    if (log !== undefined) files.add(log);
    for (const { digest } of outputs) await addDigest(digest);
    // What explains a later difference: texts of sources, lists of inputs and their texts.
    for (const sha256 of [...Object.values(sources ?? {}), ...Object.values(parts.code)]) files.add(sha256);
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
  for (const file of await listFiles(folder)) {
    if (!file.endsWith('.json')) continue;
    const text = await fs.readFile(file, 'utf8').catch(() => '');
    for (const [sha256] of text.matchAll(/[0-9a-f]{64}/g)) bundles.add(sha256);
  }
  return bundles;
}

function isPartial(file: string): boolean {
  return file.endsWith('.partial');
}

/** By the newest file in it: a folder's own time does not change with its files. */
async function isOld(target: string, beforeMs: number): Promise<boolean> {
  const stats = await fs.lstat(target).catch(() => null);
  if (stats === null) return false;
  if (stats.mtimeMs >= beforeMs) return false;
  if (!stats.isDirectory()) return true;
  for (const name of await list(target)) {
    if (!(await isOld(path.join(target, name), beforeMs))) return false;
  }
  return true;
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await fs.readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(folder, entry.name));
}

async function list(folder: string): Promise<string[]> {
  return fs.readdir(folder).catch(() => []);
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
    const folders = new Set<string>();
    for (const one of garbage.filter((candidate) => candidate.kind === kind)) {
      await fs.rm(one.path, { recursive: true, force: true });
      folders.add(path.dirname(one.path));
    }
    for (const folder of folders) {
      await syncFolder(folder).catch(ignoreMissing);
      // Those named by the first two letters of a digest.
      if (/^[0-9a-f]{2}$/.test(path.basename(folder))) await removeEmptyFolder(folder);
    }
  }
}

function ignoreMissing(error: unknown): void {
  if (!hasErrorCode(error, 'ENOENT')) throw error;
}

/** The size of everything at or below a path; 0 if it is gone. */
export async function measureSize(target: string): Promise<number> {
  const stats = await fs.lstat(target).catch(() => null);
  if (stats === null) return 0;
  if (!stats.isDirectory()) return stats.size;
  let sizeBytes = 0;
  for (const name of await fs.readdir(target).catch(() => [])) {
    sizeBytes += await measureSize(path.join(target, name));
  }
  return sizeBytes;
}
