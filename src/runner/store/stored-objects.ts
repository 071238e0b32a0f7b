import { statSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { makeFolderSynced } from '../../files/atomic-file.ts';
import { canonicalJson } from '../../files/canonical-json.ts';
import { forEachLimited } from '../../files/for-each-limited.ts';
import { syncFiles, syncFolders } from '../../files/sync-files.ts';
import { copiesAtOnce, replaceFile } from './copied-files.ts';
import type { Tree } from './digest.ts';
import { requireSha256 } from './sha256.ts';

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

  /** Whether there is no file of this content and size. Its content is not read. */
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

/**
 * Whether there is a file of this size.
 *
 * Not asynchronously, which takes ten times as long.
 */
export function isFileOf(file: string, sizeBytes: number): boolean {
  try {
    const stats = statSync(file, { throwIfNoEntry: false });
    return stats?.isFile() === true && stats.size === sizeBytes;
  } catch {
    return false;
  }
}
