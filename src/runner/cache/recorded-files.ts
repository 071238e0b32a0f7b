import fs from 'node:fs/promises';
import path from 'node:path';
import { hashText } from '../canonical-json.ts';
import type { RecordedOutput } from './records.ts';
import type { Store } from './store.ts';

/** Reads what recorded runs wrote: from the store, or from its place if it is still there unchanged. */
export class RecordedFiles {
  readonly #store: Store;
  readonly #projectRoot: string;

  constructor(store: Store, projectRoot: string) {
    this.#store = store;
    this.#projectRoot = projectRoot;
  }

  /**
   * A file in an output folder of a run.
   *
   * @param name relative to the output, with `/`
   * @param bytesAtMost larger files are not read
   * @returns null if the run made no such file, if it is too large, or if its content is gone: not in the store, and altered or
   *   missing in its place
   */
  async read(output: RecordedOutput, name: string, bytesAtMost: number): Promise<Buffer | null> {
    const tree = output.kind === 'folder' ? await this.#store.findTree(output.digest) : null;
    const entry = tree?.entries.find((one) => one.path === name);
    if (entry === undefined || entry.size > bytesAtMost) return null;
    const stored = await this.#store.readFile(entry.sha256, bytesAtMost);
    if (stored !== null) return stored;
    const inPlace = await fs.readFile(path.resolve(this.#projectRoot, output.path, name)).catch(() => null);
    return inPlace !== null && hashText(inPlace) === entry.sha256 ? inPlace : null;
  }
}
