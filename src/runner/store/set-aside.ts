import { lstatSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';
import { makeFolderSynced } from '../../files/atomic-file.ts';
import { refuseUnreadableName } from '../../files/unreadable-name.ts';
import { listSome } from '../../text.ts';
import type { Plan } from '../plan/plan.ts';
import type { DigestCache } from './digest-cache.ts';
import { type FileToHash, hashFiles } from './hash-files.ts';
import type { RecordedOutput, Records } from './records.ts';
import type { Store } from './store.ts';
import { stampOf } from './tree.ts';
import { moveFolder } from './whole-folders.ts';

/** Not in the cache, which people may delete: what is here may exist nowhere else. */
export const setAsideFolder = 'artifacts/.set-aside';

export interface KnownOutputs {
  readonly plan: Pick<Plan, 'projectRoot'>;
  readonly store: Store;
  readonly records: Records;
  readonly digests: DigestCache;
}

interface Found {
  readonly absolute: string;
  /** null for what no run leaves, or what cannot be read. */
  readonly sha256: string | null;
}

/**
 * Moves what no recorded run wrote out of the places of outputs, before these are replaced: files that people added or edited, and links.
 * A file that has the content of any recorded output stays. After a kill at any moment each file is in one place or the other.
 *
 * @param alsoKnown outputs of runs that are no longer recorded
 * @returns what to tell people; null if nothing was moved
 */
export async function setAside(
  known: KnownOutputs,
  outputs: readonly RecordedOutput[],
  alsoKnown: readonly RecordedOutput[] = [],
): Promise<string | null> {
  const { projectRoot } = known.plan;
  const found = await Promise.all(
    outputs.map((output) => listFound(known, path.resolve(projectRoot, output.path))),
  );
  let strange = found.flat();
  for (const output of recordedOutputs(known, [...outputs, ...alsoKnown])) {
    if (strange.length === 0) return null;
    const tree = await known.store.treeFor(output);
    const contents = new Set(tree?.entries.map((entry) => entry.sha256));
    strange = strange.filter(({ sha256 }) => sha256 === null || !contents.has(sha256));
  }
  if (strange.length === 0) return null;
  const place = await makePlace(projectRoot);
  const names = strange.map(({ absolute }) => path.relative(projectRoot, absolute));
  for (const [i, { absolute }] of strange.entries()) {
    const target = path.join(place, names[i] ?? '');
    await makeFolderSynced(path.dirname(target));
    await moveFolder(absolute, target);
  }
  return `set aside in ${path.relative(projectRoot, place)}: ${listSome(names)}. No recorded run wrote this, and runs replace their outputs: copy what you need to a folder of your own`;
}

/** First those that are being put in place; the others are read only if something else is there. */
function* recordedOutputs(
  { records }: KnownOutputs,
  outputs: readonly RecordedOutput[],
): Generator<RecordedOutput> {
  yield* outputs;
  for (const record of records.listLast()) yield* record.outputs;
  for (const record of records.listActions()) yield* record.outputs;
}

/** The files and links in the place of an output; links are not followed. What cannot be listed is one thing as a whole. */
async function listFound(known: KnownOutputs, target: string): Promise<Found[]> {
  // Nothing is there, or it cannot be looked at, and then not be replaced either.
  const root = await fs.lstat(target).catch(() => null);
  if (root === null) return [];
  if (!root.isDirectory()) return hashFound(known, [target]);
  try {
    const entries = await fs.readdir(target, { withFileTypes: true, recursive: true });
    for (const { parentPath, name } of entries) refuseUnreadableName(parentPath, name);
    const files = entries.map(({ parentPath, name }) => path.join(parentPath, name));
    return await hashFound(known, files);
  } catch {
    return [{ absolute: target, sha256: null }];
  }
}

async function hashFound({ digests }: KnownOutputs, entries: readonly string[]): Promise<Found[]> {
  const found = new Map<string, string | null>();
  const unknown: FileToHash[] = [];
  for (const absolute of entries) {
    const stats = lstatSync(absolute, { bigint: true });
    if (!stats.isFile() && !stats.isSymbolicLink()) continue;
    const stamp = stampOf(stats);
    const sha256 = stats.isFile() ? digests.find(absolute, stamp) : null;
    found.set(absolute, sha256 ?? null);
    if (sha256 === undefined) unknown.push({ absolute, stamp });
  }
  // If one of them cannot be read, all of them count as people's: too much is kept rather than too little.
  const hashes = await hashFiles(unknown).catch(() => []);
  for (const [i, { absolute }] of unknown.entries()) found.set(absolute, hashes[i] ?? null);
  return [...found].map(([absolute, sha256]) => ({ absolute, sha256 }));
}

/** A new folder: `<date>-1`, or the next that is free. */
async function makePlace(projectRoot: string): Promise<string> {
  await makeFolderSynced(path.join(projectRoot, setAsideFolder));
  const day = new Date().toISOString().slice(0, 10);
  for (let number = 1; ; number += 1) {
    const place = path.join(projectRoot, setAsideFolder, `${day}-${number}`);
    try {
      await fs.mkdir(place);
      return place;
    } catch (error) {
      if (!hasErrorCode(error, 'EEXIST')) throw error;
    }
  }
}
