import { constants, existsSync, statSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import {
  makeFolderSynced,
  syncFiles,
  syncFolders,
  syncTree,
  writeFileAtomic,
} from '../../base/files/atomic-file.ts';
import { canonicalJson, hashText, requireSha256 } from '../../base/files/canonical-json.ts';
import { forEachLimited } from '../../base/files/for-each-limited.ts';
import { listSome } from '../../base/text.ts';
import {
  digestOfTree,
  digestTree,
  type FoundDigest,
  isSafeTree,
  type Tree,
  type TreeEntry,
} from './digest.ts';
import { hashFiles } from './hash-files.ts';
import type { RecordedOutput } from './records.ts';
import { readStamp, type Scan } from './tree.ts';

/** A file whose content is known, about to become an object of the store. */
interface CheckedCopy {
  /** On the store's file system; it is moved. */
  readonly file: string;
  readonly sha256: string;
}

type Content = Pick<RecordedOutput, 'kind' | 'digest' | 'sizeBytes'>;

/** Concurrent copies: enough to keep a disk busy, far below the limit on open files. */
const copiesAtOnce = 8;

/**
 * Content-addressed: `files/ab/<sha256>` holds the bytes of a file, `trees/ab/<digest>.json` the list of a folder's files.
 * Nothing is ever changed in place: files appear complete, by a rename.
 */
export class Store {
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

  /** Whether there is a file of this content, by name and, if given, size. Content is checked when it is restored. */
  hasFile(sha256: string, sizeBytes?: number): boolean {
    return isFileOf(this.fileOf(sha256), sizeBytes);
  }

  hasTree(digest: string): boolean {
    return existsSync(this.treeOf(digest));
  }

  /** Whether all objects of an output are there, by name and size. */
  async hasOutput(output: Content): Promise<boolean> {
    const tree = await this.treeFor(output);
    return tree?.entries.every(({ sha256, size }) => this.hasFile(sha256, size)) ?? false;
  }

  /**
   * Stores a stage's output durably. The digest is that of the copy in the store, so the two agree even if a
   * runaway process is still writing to the original.
   *
   * @param temporary a folder on the store's file system for incomplete copies; removed at the end
   */
  async put(scan: Scan, temporary: string): Promise<FoundDigest> {
    await fs.mkdir(temporary, { recursive: true });
    const copies = scan.files.map((_, i) => path.join(temporary, String(i)));
    await forEachLimited(scan.files, copiesAtOnce, ({ absolute }, i) => clone(absolute, copies[i] ?? ''));
    const stored = await hashCopies(copies);
    await this.adopt(stored);
    await fs.rm(temporary, { recursive: true, force: true });
    const entries = scan.files.map(({ path: name, executable }, i): TreeEntry => {
      const { size, sha256 } = stored[i] ?? { size: 0, sha256: '' };
      return { path: name, size, sha256, ...(executable ? { executable } : {}) };
    });
    const { emptyFolders } = scan;
    const digest = digestOfTree(scan.kind === 'file' ? 'file' : 'folder', { entries, emptyFolders });
    if (digest.kind === 'folder') await this.putTree(digest.digest, digest.tree);
    return digest;
  }

  /** Keeps the list of a folder's files, so that a later difference can be named file by file. */
  async putTree(digest: string, tree: Tree): Promise<void> {
    await writeFileAtomic(this.treeOf(digest), canonicalJson(tree));
  }

  /** Takes over files whose content was checked, durably. What has the name of one already is replaced: the copy is known to be intact. */
  async adopt(copies: readonly CheckedCopy[]): Promise<void> {
    const objects = copies.map(({ sha256 }) => this.fileOf(sha256));
    const folders = [...new Set(objects.map((object) => path.dirname(object)))];
    for (const folder of folders) await makeFolderSynced(folder);
    await syncFiles(copies.map(({ file }) => file));
    await forEachLimited(copies, copiesAtOnce, async ({ file }, i) => {
      await fs.chmod(file, 0o444);
      await fs.rename(file, objects[i] ?? '');
    });
    await syncFolders(folders);
  }

  /** Stores a file that fits into memory. */
  async keepFile(sha256: string, bytes: Uint8Array): Promise<void> {
    await writeFileAtomic(this.fileOf(sha256), bytes, { mode: 0o444 });
  }

  /** The bytes of a stored file; null if it is missing, damaged, or larger than `bytesAtMost`. */
  async readFile(sha256: string, bytesAtMost: number): Promise<Buffer | null> {
    try {
      const file = this.fileOf(sha256);
      if ((await fs.stat(file)).size > bytesAtMost) return null;
      const bytes = await fs.readFile(file);
      return hashText(bytes) === sha256 ? bytes : null;
    } catch {
      return null;
    }
  }

  /** A file in a recorded output folder; null if the run made no such file, if it is too large, or if the store has lost it. */
  async readOutputFile(output: Content, name: string, bytesAtMost: number): Promise<Buffer | null> {
    const tree = output.kind === 'folder' ? await this.findTree(output.digest) : null;
    const entry = tree?.entries.find((one) => one.path === name);
    return entry === undefined ? null : this.readFile(entry.sha256, bytesAtMost);
  }

  /** The list of a folder's files; null if it is missing or damaged. */
  async findTree(digest: string): Promise<Tree | null> {
    try {
      const tree: unknown = JSON.parse(await fs.readFile(this.treeOf(digest), 'utf8'));
      return isSafeTree(tree) && digestTree(tree) === digest ? tree : null;
    } catch {
      return null;
    }
  }

  /** The files of an output, which a file has by itself; null if the list is missing or damaged. */
  async treeFor({ kind, digest, sizeBytes }: Content): Promise<Tree | null> {
    if (kind === 'folder') return this.findTree(digest);
    return { entries: [{ path: '', size: sizeBytes, sha256: digest }], emptyFolders: [] };
  }

  /**
   * Creates `target`, which must not exist, from the store; every byte is verified, and survives a power cut. Damaged objects are removed.
   *
   * @returns null, or what the store has lost of the output
   */
  async restore(output: RecordedOutput, target: string): Promise<string | null> {
    const tree = await this.treeFor(output);
    if (tree === null) return `${output.path}: its copy in the store is missing`;
    const placeOf = (name: string): string => (name === '' ? target : path.join(target, name));
    const folders = new Set(tree.entries.map((entry) => path.dirname(placeOf(entry.path))));
    if (output.kind === 'folder') folders.add(target);
    for (const folder of [...folders, ...tree.emptyFolders.map(placeOf)])
      await fs.mkdir(folder, { recursive: true });

    const lost = new Set<TreeEntry>();
    await forEachLimited(tree.entries, copiesAtOnce, async (entry) => {
      const object = this.fileOf(entry.sha256);
      try {
        await clone(object, placeOf(entry.path));
        await fs.chmod(placeOf(entry.path), entry.executable === true ? 0o755 : 0o644);
      } catch (error) {
        // The system does not say at which end a copy failed.
        if (this.hasFile(entry.sha256)) throw error;
        lost.add(entry);
      }
    });
    const copied = tree.entries.filter((entry) => !lost.has(entry));
    const copies = await hashCopies(copied.map((entry) => placeOf(entry.path)));
    for (const [i, entry] of copied.entries()) if (copies[i]?.sha256 !== entry.sha256) lost.add(entry);
    if (lost.size > 0) return this.#removeLost(output, [...lost]);
    await syncTree(target);
    return null;
  }

  async #removeLost({ path: name }: RecordedOutput, lost: readonly TreeEntry[]): Promise<string> {
    const objects = lost.map(({ sha256 }) => this.fileOf(sha256));
    const state = objects.some((object) => existsSync(object)) ? 'damaged' : 'missing';
    for (const object of objects) {
      await fs.rm(object, { recursive: true, force: true }).catch(() => {
        // In a store that cannot be written it stays, and is found damaged again.
      });
    }
    const names = listSome(lost.map((entry) => path.posix.join(name, entry.path)));
    return lost.length > 1
      ? `${names}: their copies in the store are ${state}`
      : `${names}: its copy in the store is ${state}`;
  }
}

/** Whether there is a file, of this size. Not asynchronously, which takes ten times as long. */
function isFileOf(file: string, sizeBytes?: number): boolean {
  try {
    const stats = statSync(file, { throwIfNoEntry: false });
    return stats?.isFile() === true && (sizeBytes === undefined || stats.size === sizeBytes);
  } catch {
    return false;
  }
}

/** Copies a file, as a clone if the file system supports it. */
async function clone(from: string, to: string): Promise<void> {
  await fs.copyFile(from, to, constants.COPYFILE_FICLONE);
}

async function hashCopies(files: readonly string[]): Promise<(CheckedCopy & { readonly size: number })[]> {
  const stamped = files.map((absolute) => ({ absolute, stamp: readStamp(absolute) }));
  const hashes = await hashFiles(stamped);
  return stamped.map(({ absolute: file, stamp }, i) => ({ file, sha256: hashes[i] ?? '', size: stamp.size }));
}
