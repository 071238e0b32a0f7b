import fs from 'node:fs/promises';
import path from 'node:path';
import { hashText } from '../../files/canonical-json.ts';
import { listIntact, type Tree, type TreeEntry } from './digest.ts';
import type { RecordedOutput } from './records.ts';
import type { Store } from './store.ts';

/** Reads what recorded runs wrote: from the store, or from its place if it is still there unchanged. */
export class RecordedFiles {
  readonly #store: Store;
  readonly #projectRoot: string;
  readonly #lists = new Map<string, Promise<Tree | null>>();

  constructor(store: Store, projectRoot: string) {
    this.#store = store;
    this.#projectRoot = projectRoot;
  }

  /**
   * A file in an output folder of a run.
   *
   * @returns null if the run made no such file, if it is too large, or if its content is gone: not in the store, and altered or
   *   missing in its place
   */
  async read(output: RecordedOutput, name: string, bytesAtMost: number): Promise<Buffer | null> {
    const tree = output.kind === 'folder' ? await this.#list(output) : null;
    const entry = tree?.entries.find((one) => one.path === name);
    if (entry === undefined || entry.size > bytesAtMost) return null;
    const stored = await this.#store.readFile(entry.sha256, bytesAtMost);
    return stored ?? readIntact(path.resolve(this.#projectRoot, output.path, name), entry);
  }

  /** If the store has lost the list, a folder in place that is just the recorded one tells it; looked at once. */
  #list({ digest, path: relative }: RecordedOutput): Promise<Tree | null> {
    const known = this.#lists.get(digest);
    if (known !== undefined) return known;
    const list = this.#store
      .findTree(digest)
      .then((tree) => tree ?? listIntact(path.resolve(this.#projectRoot, relative), digest))
      .catch(() => null);
    this.#lists.set(digest, list);
    return list;
  }
}

/** Looked at before it is read: anything may be in its place by now. */
async function readIntact(file: string, { sha256, size }: TreeEntry): Promise<Buffer | null> {
  try {
    const stats = await fs.stat(file);
    if (!stats.isFile() || stats.size !== size) return null;
    const bytes = await fs.readFile(file);
    return hashText(bytes) === sha256 ? bytes : null;
  } catch {
    return null;
  }
}
