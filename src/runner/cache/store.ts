import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';
import {
  makeFolderSynced,
  syncFile,
  syncFolder,
  syncTree,
  writeFileAtomic,
} from '../../files/atomic-file.ts';
import { canonicalJson, hashText } from '../canonical-json.ts';
import { digestOfTree, digestTree, type PathDigest, type Tree, type TreeEntry } from '../files/digest.ts';
import { requireSha256 } from '../files/sha256.ts';
import type { Scan, ScannedFile } from '../files/tree.ts';
import { forEachLimited } from '../for-each-limited.ts';
import {
  type Copied,
  CopyError,
  copiesAtOnce,
  copyAndHash,
  findReadProblem,
  replaceFile,
} from './copied-files.ts';
import { isSafeTree } from './tree-check.ts';

export type RestoreResult =
  | { readonly kind: 'restored'; readonly hashedAtMs: number }
  | { readonly kind: 'absent'; readonly path: string }
  | { readonly kind: 'damaged'; readonly path: string };

/**
 * Content-addressed: `files/ab/<sha256>` holds the bytes of a file, `trees/ab/<digest>.json` the list of a folder's files.
 * Nothing is ever changed in place: files appear complete, by a rename.
 */
export class Store {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
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
    ).catch((error: unknown) => {
      throw error instanceof CopyError ? error.cause : error;
    });
    const folders = new Set<string>();
    await forEachLimited(scan.files, copiesAtOnce, async (_, i) => {
      const copy = path.join(temporary, String(i));
      const object = this.#fileOf(copies[i]?.sha256 ?? '');
      await syncFile(copy);
      await fs.chmod(copy, 0o444);
      await makeFolderSynced(path.dirname(object));
      // An object of this name may already exist; ours is known to be intact, so it replaces it.
      await replaceFile(copy, object);
      folders.add(path.dirname(object));
    });
    for (const folder of folders) await syncFolder(folder);
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
    await writeFileAtomic(this.#treeOf(digest), canonicalJson(tree));
  }

  /** Like {@link putTree}, for lists that are probably stored already. */
  async keepTree(digest: string, tree: Tree): Promise<void> {
    const isHere = await fs.access(this.#treeOf(digest)).then(
      () => true,
      () => false,
    );
    if (!isHere) await this.putTree(digest, tree);
  }

  /**
   * Takes over a file whose content was checked, such as one that was fetched.
   *
   * @param file on the store's file system, its content already on the disk; it is moved
   */
  async adopt(sha256: string, file: string): Promise<void> {
    const object = this.#fileOf(sha256);
    await fs.chmod(file, 0o444);
    await makeFolderSynced(path.dirname(object));
    await replaceFile(file, object);
    await syncFolder(path.dirname(object));
  }

  /** The stored file of this content and size, unchecked; null if there is none. */
  async findFile(sha256: string, sizeBytes: number): Promise<string | null> {
    const file = this.#fileOf(sha256);
    const stats = await fs.stat(file).catch(() => null);
    return stats?.isFile() === true && stats.size === sizeBytes ? file : null;
  }

  /** Whether a file of this content is stored, by name. */
  hasFile(sha256: string): Promise<boolean> {
    return fs.access(this.#fileOf(sha256)).then(
      () => true,
      () => false,
    );
  }

  /**
   * Stores a small file without waiting for the disk, for content that only explains: if a power cut takes it, {@link readFile}
   * notices.
   */
  async keepFile(sha256: string, bytes: Uint8Array): Promise<void> {
    const file = this.#fileOf(sha256);
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
      const file = this.#fileOf(sha256);
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
      const tree: unknown = JSON.parse(await fs.readFile(this.#treeOf(digest), 'utf8'));
      return isSafeTree(tree) && digestTree(tree) === digest ? tree : null;
    } catch {
      return null;
    }
  }

  /** Whether everything is stored, by name and size. Content is checked when it is restored. */
  async has(kind: 'file' | 'folder', digest: string, sizeBytes: number): Promise<boolean> {
    const tree = await this.#treeFor(kind, digest, sizeBytes);
    if (tree === null) return false;
    for (const entry of tree.entries) {
      if ((await this.findFile(entry.sha256, entry.size)) === null) return false;
    }
    return true;
  }

  /**
   * Creates `target`, which must not exist, from the store; every byte is verified, and survives a power cut. A damaged object is
   * removed.
   */
  async restore(
    kind: 'file' | 'folder',
    digest: string,
    sizeBytes: number,
    target: string,
  ): Promise<RestoreResult> {
    const tree = await this.#treeFor(kind, digest, sizeBytes);
    if (tree === null) return { kind: 'absent', path: this.#treeOf(digest) };
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
          from: this.#fileOf(entry.sha256),
          to: targetOf(entry.path),
          mode: entry.executable ? 0o755 : 0o644,
        })),
      );
    } catch (error) {
      if (!(error instanceof CopyError)) throw error;
      const problem = await findReadProblem(error.from);
      // It can be read, so the copy could not be written.
      if (problem === null) throw error.cause;
      if (hasErrorCode(problem, 'ENOENT')) return { kind: 'absent', path: error.from };
      return this.#removeDamaged(error.from);
    }
    const damaged = tree.entries.find((entry, i) => entry.sha256 !== copies[i]?.sha256);
    if (damaged !== undefined) return this.#removeDamaged(this.#fileOf(damaged.sha256));
    await syncTree(target);
    return { kind: 'restored', hashedAtMs };
  }

  async #removeDamaged(object: string): Promise<RestoreResult> {
    await fs.rm(object, { recursive: true, force: true }).catch(() => {
      // In a store that cannot be written it stays, and is found damaged again.
    });
    return { kind: 'damaged', path: object };
  }

  async #treeFor(kind: 'file' | 'folder', digest: string, sizeBytes: number): Promise<Tree | null> {
    if (kind === 'folder') return this.findTree(digest);
    return { entries: [{ path: '', size: sizeBytes, sha256: digest }], emptyFolders: [] };
  }

  #fileOf(sha256: string): string {
    return path.join(this.#root, 'files', requireSha256(sha256).slice(0, 2), sha256);
  }

  #treeOf(digest: string): string {
    return path.join(this.#root, 'trees', requireSha256(digest).slice(0, 2), `${digest}.json`);
  }
}

/** Of the copy, as the hash is: something may still be writing to the original. */
function describeEntry(file: ScannedFile, copied: Copied | undefined): TreeEntry {
  const entry = { path: file.path, size: copied?.sizeBytes ?? 0, sha256: copied?.sha256 ?? '' };
  return file.executable ? { ...entry, executable: true } : entry;
}
