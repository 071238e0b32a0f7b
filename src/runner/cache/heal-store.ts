import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { compareCodeUnits } from '../canonical-json.ts';
import { digestOutput, type Tree } from '../files/digest.ts';
import { DigestCache } from '../files/digest-cache.ts';
import type { CacheFolder } from './cache-folder.ts';
import { type LostObject, listLacking } from './lost-objects.ts';
import { type RecordedOutput, Records } from './records.ts';
import { Store } from './store.ts';
import { isFileOf } from './stored-objects.ts';

/** An output that is neither in the store nor, intact, in its place. */
export interface GoneOutput {
  readonly id: string;
  /** Relative to the project. */
  readonly output: string;
}

export interface Healed {
  /** Files and folders in place, relative to the project and sorted, from which the store has again what it had lost. */
  readonly storedAgain: readonly string[];
  readonly gone: readonly GoneOutput[];
}

/**
 * Stores again what the store lacks of the last results of all instances, from their outputs in place: every byte is compared with the
 * record. Call it while holding the lock.
 */
export async function healStore(projectRoot: string, folder: CacheFolder): Promise<Healed> {
  const store = new Store(folder.store);
  const records = new Records(folder);
  const temporary = path.join(folder.temporary, `verify-${process.pid}`);
  const storedAgain = new Set<string>();
  const gone: GoneOutput[] = [];
  try {
    for (const record of records.listLast()) {
      if (records.findAction(record.fingerprint) === null) await records.writeAction(record);
      for (const output of record.outputs) {
        const { isWhole, names } = await healOutput(store, path.resolve(projectRoot, output.path), {
          output,
          temporary,
        });
        for (const name of names) storedAgain.add(name);
        if (!isWhole) gone.push({ id: record.id, output: output.path });
      }
    }
  } finally {
    await fs.rm(temporary, { recursive: true, force: true });
  }
  return { storedAgain: [...storedAgain].sort(compareCodeUnits), gone };
}

async function healOutput(
  store: Store,
  absolute: string,
  { output, temporary }: { readonly output: RecordedOutput; readonly temporary: string },
): Promise<{ readonly isWhole: boolean; readonly names: readonly string[] }> {
  const { kind, digest, sizeBytes, path: name } = output;
  const listed = await store.treeFor(kind, digest, sizeBytes);
  const tree = listed ?? (await listIntact(absolute, digest));
  if (tree === null) return { isWhole: false, names: [] };
  const lacking = listLacking(store, tree);
  const lost: LostObject[] = lacking.flatMap(({ path: relative, sha256, size }): LostObject[] => {
    const from = relative === '' ? absolute : path.join(absolute, relative);
    if (!isFileOf(from, size)) return [];
    return [{ kind: 'file', sha256, from, name: relative === '' ? name : `${name}/${relative}` }];
  });
  if (listed === null) lost.push({ kind: 'tree', digest, tree, name });
  if (lost.length === 0) return { isWhole: lacking.length === 0, names: [] };
  const unlike = await store.storeAgain(lost, temporary);
  const names = lost.filter((one) => !unlike.includes(one)).map((one) => one.name);
  return { isWhole: lacking.length === 0 || listLacking(store, tree).length === 0, names };
}

/** The files of a folder in place if, read anew, it is what it should be; otherwise null. */
async function listIntact(absolute: string, digest: string): Promise<Tree | null> {
  const remembersNothing = new DigestCache(path.join(absolute, '\0'), absolute);
  const found = await digestOutput(absolute, remembersNothing);
  return found.kind === 'folder' && found.digest === digest ? found.tree : null;
}
