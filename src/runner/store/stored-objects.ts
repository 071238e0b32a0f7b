import { constants, createReadStream, statSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';
import { makeFolderSynced } from '../../files/atomic-file.ts';
import { canonicalJson, requireSha256 } from '../../files/canonical-json.ts';
import { forEachLimited } from '../../files/for-each-limited.ts';
import { syncFiles, syncFolders, syncTree } from '../../files/sync-files.ts';
import type { Tree } from './digest.ts';
import { hashFiles } from './hash-files.ts';
import { stampOf } from './tree.ts';

/** A file whose content is known, about to become an object of the store. */
export interface CheckedCopy {
  /** On the store's file system; it is moved. */
  readonly file: string;
  readonly sha256: string;
}

/** Where the objects of a store are, and how they get there: complete, by a rename, and never changed in place. */
export class StoredObjects {
  readonly #files: string;
  readonly #trees: string;

  constructor(root: string) {
    this.#files = path.join(root, 'files');
    this.#trees = path.join(root, 'trees');
  }

  /** Put together by hand, which takes a fifth of the time: a run that has nothing to do asks for every output. */
  fileOf(sha256: string): string {
    return `${this.#files}${path.sep}${requireSha256(sha256).slice(0, 2)}${path.sep}${sha256}`;
  }

  treeOf(digest: string): string {
    return `${this.#trees}${path.sep}${requireSha256(digest).slice(0, 2)}${path.sep}${digest}.json`;
  }

  lacksFile(sha256: string, sizeBytes: number): boolean {
    return !isFileOf(this.fileOf(sha256), sizeBytes);
  }

  /** Whether there is no list of these files, of the right size. It is not read. */
  lacksTree(digest: string, tree: Tree): boolean {
    return !isFileOf(this.treeOf(digest), Buffer.byteLength(canonicalJson(tree)));
  }

  /** Makes checked copies objects of the store, durably. What has the name of one already is replaced: the copy is known to be intact. */
  async commit(copies: readonly CheckedCopy[]): Promise<void> {
    const objects = copies.map(({ sha256 }) => this.fileOf(sha256));
    const folders = new Set(objects.map((object) => path.dirname(object)));
    for (const folder of folders) await makeFolderSynced(folder);
    await syncFiles(copies.map(({ file }) => file));
    await forEachLimited(copies, copiesAtOnce, async ({ file }, i) => {
      await fs.chmod(file, 0o444);
      await replaceFile(file, objects[i] ?? '');
    });
    await syncFolders([...folders]);
  }
}

/** Whether there is a file of this size. Not asynchronously, which takes ten times as long. */
function isFileOf(file: string, sizeBytes: number): boolean {
  try {
    const stats = statSync(file, { throwIfNoEntry: false });
    return stats?.isFile() === true && stats.size === sizeBytes;
  } catch {
    return false;
  }
}

/** Concurrent copies: enough to keep a disk busy, far below the limit on open files. */
const copiesAtOnce = 8;

/** Renames, also over a folder, which only a damaged disk or a mistaken hand puts in the place of a file. */
async function replaceFile(from: string, to: string): Promise<void> {
  try {
    await fs.rename(from, to);
  } catch (error) {
    if (!hasErrorCode(error, 'EISDIR', 'ENOTEMPTY', 'EEXIST')) throw error;
    await fs.rm(to, { recursive: true });
    await fs.rename(from, to);
  }
}

interface Copy {
  readonly from: string;
  readonly to: string;
  readonly mode?: number;
}

export interface Copied {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** The system does not say at which end a copy failed. */
export class CopyError extends Error {
  readonly from: string;

  constructor(from: string, cause: unknown) {
    super(`${from} could not be copied`, { cause });
    this.from = from;
  }
}

/** Copies files, as clones if the file system supports it, and hashes the copies. @throws {CopyError} */
export async function copyAndHash(copies: readonly Copy[]): Promise<Copied[]> {
  await forEachLimited(copies, copiesAtOnce, async ({ from, to, mode }) => {
    await fs.copyFile(from, to, constants.COPYFILE_FICLONE).catch((error: unknown) => {
      throw new CopyError(from, error);
    });
    if (mode !== undefined) await fs.chmod(to, mode);
  });
  const files = await Promise.all(
    copies.map(async ({ to }) => ({ absolute: to, stamp: stampOf(await fs.stat(to, { bigint: true })) })),
  );
  const hashes = await hashFiles(files);
  return files.map(({ stamp }, i) => ({ sha256: hashes[i] ?? '', sizeBytes: stamp.size }));
}

/** Why a file cannot be read to its end; null if it can. */
async function findReadProblem(file: string): Promise<unknown> {
  try {
    for await (const _ of createReadStream(file, { highWaterMark: 1024 * 1024 }));
    return null;
  } catch (error) {
    return error;
  }
}

export type RestoreResult = { readonly kind: 'restored'; readonly hashedAtMs: number } | LostInStore;

interface LostInStore {
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
