import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';
import { syncTree } from '../../files/sync-files.ts';
import { type Copied, CopyError, copyAndHash, findReadProblem } from './copied-files.ts';
import type { Tree } from './digest.ts';
import type { StoredObjects } from './stored-objects.ts';

export type RestoreResult = { readonly kind: 'restored'; readonly hashedAtMs: number } | LostInStore;

/** Why something could not be restored. */
export interface LostInStore {
  /** A damaged object has been removed. */
  readonly kind: 'absent' | 'damaged';
  /** Of an object; of the first of several. Absolute. */
  readonly path: string;
  /** The files that these objects hold, relative to what was to be restored; empty if that is itself a file, or if its list is lost. */
  readonly files: readonly string[];
}

/** Creates `target`, which must not exist; every byte is verified, and survives a power cut. A damaged object is removed. */
export async function restoreTree(
  objects: StoredObjects,
  kind: 'file' | 'folder',
  tree: Tree,
  target: string,
): Promise<RestoreResult> {
  const targetOf = (relative: string): string => (relative === '' ? target : path.join(target, relative));
  if (kind === 'folder') await fs.mkdir(target, { recursive: true });
  const folders = new Set(tree.entries.map((entry) => path.dirname(targetOf(entry.path))));
  for (const folder of [...folders, ...tree.emptyFolders.map(targetOf)])
    await fs.mkdir(folder, { recursive: true });

  const hashedAtMs = Date.now();
  let copies: readonly Copied[];
  try {
    copies = await copyAndHash(
      tree.entries.map((entry) => ({
        from: objects.fileOf(entry.sha256),
        to: targetOf(entry.path),
        mode: entry.executable ? 0o755 : 0o644,
      })),
    );
  } catch (error) {
    if (!(error instanceof CopyError)) throw error;
    const problem = await findReadProblem(error.from);
    // It can be read, so the copy could not be written.
    if (problem === null) throw error.cause;
    const sha256 = path.basename(error.from);
    return hasErrorCode(problem, 'ENOENT')
      ? { kind: 'absent', path: error.from, files: namesOf(tree, new Set([sha256])) }
      : removeDamaged(objects, tree, [sha256]);
  }
  const damaged = tree.entries.filter((entry, i) => entry.sha256 !== copies[i]?.sha256);
  if (damaged.length > 0) {
    return removeDamaged(
      objects,
      tree,
      damaged.map(({ sha256 }) => sha256),
    );
  }
  await syncTree(target);
  return { kind: 'restored', hashedAtMs };
}

async function removeDamaged(
  objects: StoredObjects,
  tree: Tree,
  contents: readonly string[],
): Promise<LostInStore> {
  const damaged = contents.map((sha256) => objects.fileOf(sha256));
  for (const object of damaged) {
    await fs.rm(object, { recursive: true, force: true }).catch(() => {
      // In a store that cannot be written it stays, and is found damaged again.
    });
  }
  return { kind: 'damaged', path: damaged[0] ?? '', files: namesOf(tree, new Set(contents)) };
}

/** The files of a list that have one of these contents, by path; without the one of a list for a single file, which has none. */
function namesOf(tree: Tree, contents: ReadonlySet<string>): string[] {
  return tree.entries
    .filter(({ sha256, path: name }) => name !== '' && contents.has(sha256))
    .map((entry) => entry.path);
}
