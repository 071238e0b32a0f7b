import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { canonicalJson, hashText } from '../../files/canonical-json.ts';
import { digestOfTree, digestTree, type PathDigest, type Tree, type TreeEntry } from './digest.ts';
import type { LostObject } from './lost-objects.ts';
import {
  type CheckedCopy,
  type Copied,
  CopyError,
  copyAndHash,
  type RestoreResult,
  restoreTree,
  StoredObjects,
} from './stored-objects.ts';
import type { Scan, ScannedFile } from './tree.ts';
import { isSafeTree } from './tree-check.ts';

/**
 * Content-addressed: `files/ab/<sha256>` holds the bytes of a file, `trees/ab/<digest>.json` the list of a folder's files.
 * Nothing is ever changed in place: files appear complete, by a rename.
 */
export class Store {
  readonly #objects: StoredObjects;

  constructor(root: string) {
    this.#objects = new StoredObjects(root);
  }

  /**
   * Stores a stage's output durably. The digest is that of the copy in the store, so the two agree even if a
   * runaway process is still writing to the original.
   *
   * @param temporary a folder on the store's file system for incomplete copies
   */
  async put(scan: Scan, temporary: string): Promise<PathDigest & { kind: 'file' | 'folder' }> {
    await fs.mkdir(temporary, { recursive: true });
    const copies = await copyAndHash(
      scan.files.map((file, i) => ({ from: file.absolute, to: path.join(temporary, String(i)) })),
    ).catch(throwCause);
    await this.#objects.commit(
      copies.map(({ sha256 }, i) => ({ file: path.join(temporary, String(i)), sha256 })),
    );
    await fs.rm(temporary, { recursive: true, force: true });
    const entries = scan.files.map((file, i) => describeEntry(file, copies[i]));
    const digest = digestOfTree(scan.kind === 'file' ? 'file' : 'folder', {
      entries,
      emptyFolders: scan.emptyFolders,
    });
    if (digest.kind === 'missing') throw new Error('a scan that found something has a digest');
    if (digest.kind === 'folder') await this.putTree(digest.digest, digest.tree);
    return digest;
  }

  /** Keeps the list of a folder's files, so that a later difference can be named file by file. */
  async putTree(digest: string, tree: Tree): Promise<void> {
    await writeFileAtomic(this.#objects.treeOf(digest), canonicalJson(tree));
  }

  /** Like {@link putTree}, for lists that are probably stored already. */
  async keepTree(digest: string, tree: Tree): Promise<void> {
    if (!this.hasTree(digest)) await this.putTree(digest, tree);
  }

  /** Takes over files whose content was checked, such as some that were fetched, durably. */
  async adopt(files: readonly CheckedCopy[]): Promise<void> {
    await this.#objects.commit(files);
  }

  /** The stored file of this content and size, unchecked; null if there is none. */
  async findFile(sha256: string, sizeBytes: number): Promise<string | null> {
    const file = this.#objects.fileOf(sha256);
    const stats = await fs.stat(file).catch(() => null);
    return stats?.isFile() === true && stats.size === sizeBytes ? file : null;
  }

  /** The stored file with this name, unchecked; null if there is none. */
  async findStored(sha256: string): Promise<string | null> {
    return (await this.hasFile(sha256)) ? this.#objects.fileOf(sha256) : null;
  }

  /** Whether a file of this content is stored, by name. */
  hasFile(sha256: string): Promise<boolean> {
    return fs.access(this.#objects.fileOf(sha256)).then(
      () => true,
      () => false,
    );
  }

  /** Stores a small file without waiting for the disk, for content that only explains: if a power cut takes it, {@link readFile} notices. */
  async keepFile(sha256: string, bytes: Uint8Array): Promise<void> {
    const file = this.#objects.fileOf(sha256);
    const partial = path.join(path.dirname(file), `.${randomUUID()}.partial`);
    await fs.mkdir(path.dirname(file), { recursive: true });
    try {
      await fs.writeFile(partial, bytes, { mode: 0o444 });
      await fs.rename(partial, file);
    } catch (error) {
      await fs.rm(partial, { force: true });
      throw error;
    }
  }

  /** The bytes of a stored file; null if it is missing, damaged, or larger than `bytesAtMost`. */
  async readFile(sha256: string, bytesAtMost: number): Promise<Buffer | null> {
    try {
      const file = this.#objects.fileOf(sha256);
      if ((await fs.stat(file)).size > bytesAtMost) return null;
      const bytes = await fs.readFile(file);
      return hashText(bytes) === sha256 ? bytes : null;
    } catch {
      return null;
    }
  }

  /** The list of a folder's files; null if it is missing or damaged. */
  async findTree(digest: string): Promise<Tree | null> {
    try {
      const tree: unknown = JSON.parse(await fs.readFile(this.#objects.treeOf(digest), 'utf8'));
      return isSafeTree(tree) && digestTree(tree) === digest ? tree : null;
    } catch {
      return null;
    }
  }

  /** Whether there is no file of this content, by name and size. Content is checked when it is restored. */
  lacksFile(sha256: string, sizeBytes: number): boolean {
    return this.#objects.lacksFile(sha256, sizeBytes);
  }

  lacksTree(digest: string, tree: Tree): boolean {
    return this.#objects.lacksTree(digest, tree);
  }

  hasTree(digest: string): boolean {
    return existsSync(this.#objects.treeOf(digest));
  }

  /**
   * Stores again what it has lost, from copies that are intact.
   *
   * @param temporary a folder on the store's file system for incomplete copies; removed at the end
   * @returns those whose copy turned out not to be intact
   */
  async storeAgain(lost: readonly LostObject[], temporary: string): Promise<LostObject[]> {
    const files = lost.filter((one) => one.kind === 'file');
    await fs.mkdir(temporary, { recursive: true });
    const at = (i: number): string => path.join(temporary, String(i));
    const copies = await copyAndHash(files.map(({ from }, i) => ({ from, to: at(i) }))).catch(throwCause);
    const isIntact = ({ sha256 }: { sha256: string }, i: number): boolean => copies[i]?.sha256 === sha256;
    await this.#objects.commit(
      files.map(({ sha256 }, i) => ({ file: at(i), sha256 })).filter((one, i) => isIntact(one, i)),
    );
    await fs.rm(temporary, { recursive: true, force: true });
    for (const one of lost) if (one.kind === 'tree') await this.putTree(one.digest, one.tree);
    return files.filter((one, i) => !isIntact(one, i));
  }

  /** Creates `target`, which must not exist, from the store; every byte is verified, and survives a power cut. A damaged object is removed. */
  async restore(
    kind: 'file' | 'folder',
    digest: string,
    sizeBytes: number,
    target: string,
  ): Promise<RestoreResult> {
    const tree = await this.treeFor(kind, digest, sizeBytes);
    if (tree === null) return { kind: 'absent', path: this.#objects.treeOf(digest), files: [] };
    return restoreTree(this.#objects, kind, tree, target);
  }

  /** The files of an output, which a file has by itself; null if the list is missing or damaged. */
  async treeFor(kind: 'file' | 'folder', digest: string, sizeBytes: number): Promise<Tree | null> {
    if (kind === 'folder') return this.findTree(digest);
    return { entries: [{ path: '', size: sizeBytes, sha256: digest }], emptyFolders: [] };
  }
}

/** Of the copy, as the hash is: something may still be writing to the original. */
function describeEntry(file: ScannedFile, copied: Copied | undefined): TreeEntry {
  const entry = { path: file.path, size: copied?.sizeBytes ?? 0, sha256: copied?.sha256 ?? '' };
  return file.executable ? { ...entry, executable: true } : entry;
}

function throwCause(error: unknown): never {
  throw error instanceof CopyError ? error.cause : error;
}
