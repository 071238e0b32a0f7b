import fs from 'node:fs/promises';
import path from 'node:path';
import { hashText } from '../../files/canonical-json.ts';
import type { Tree } from '../store/digest.ts';
import type { Store } from '../store/store.ts';

/** Source files and configuration are far smaller; larger texts are data, and not read line by line. */
export const textBytesAtMost = 256 * 1024;

/** A folder of more files is a data set: looking for texts in it would read it all. */
export const textFilesAtMost = 200;

/**
 * Keeps the texts that a run was made from in the store, so that a later difference can be shown line by line. What is not kept
 * (too large, not a text, changed before it was read) only cannot be shown.
 */
export class KeptTexts {
  readonly #store: Store;
  readonly #known = new Set<string>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** @param files path, relative to `root` -> sha256 of its bytes */
  async keepFiles(root: string, files: Readonly<Record<string, string>>): Promise<void> {
    for (const [file, sha256] of Object.entries(files)) await this.#keep(path.resolve(root, file), sha256);
  }

  /** @param absolute of the file or folder whose content the tree lists */
  async keepTree(absolute: string, tree: Tree): Promise<void> {
    if (tree.entries.length > textFilesAtMost) return;
    for (const entry of tree.entries) {
      if (entry.size > textBytesAtMost) continue;
      await this.#keep(entry.path === '' ? absolute : path.join(absolute, entry.path), entry.sha256);
    }
  }

  async #keep(absolute: string, sha256: string): Promise<void> {
    if (this.#known.has(sha256)) return;
    this.#known.add(sha256);
    if (await this.#store.hasFile(sha256)) return;
    const bytes = await readSmallFile(absolute);
    if (bytes === null || hashText(bytes) !== sha256 || decodeText(bytes) === null) return;
    // Without it the run is just as good, so a full disk is left to what must be written.
    await this.#store.keepFile(sha256, bytes).catch(() => {});
  }
}

/** The bytes of a file that may hold a text; null if there is no such file, or if it is too large. */
export async function readSmallFile(absolute: string): Promise<Buffer | null> {
  try {
    const stats = await fs.stat(absolute);
    return stats.isFile() && stats.size <= textBytesAtMost ? await fs.readFile(absolute) : null;
  } catch {
    return null;
  }
}

/** Bytes as text; null if they are not UTF-8 or contain zeros. */
export function decodeText(bytes: Uint8Array): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
