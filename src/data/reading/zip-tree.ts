import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { hasErrorCode, messageOf, ReproError } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { openZip } from '../../base/files/zip-file.ts';
import { type FileTree, isHidden, type TreeFile } from './file-tree.ts';

/** The files of a zip or zip64, sorted by name, unpacked while reading, each checked against its checksum. */
export class ZipTree implements FileTree {
  readonly #archive: string;
  readonly #label: string;

  constructor(archive: string, label: string) {
    this.#archive = archive;
    this.#label = label;
  }

  /**
   * @throws {ReproError} `archive-broken` if it ends too early, is not a zip or has a name twice, `data-corrupt` for a file that does not
   *   match its size or checksum
   */
  async walk(visit: (file: TreeFile) => Promise<void>, signal?: AbortSignal): Promise<void> {
    await this.#withEntries(async (entries, zip) => {
      for (const entry of entries) {
        signal?.throwIfAborted();
        const { fileName, uncompressedSize } = entry;
        await visit({ path: fileName, sizeBytes: uncompressedSize, open: () => this.#read(zip, entry) });
      }
    });
  }

  /** The names alone, sorted. */
  async list(): Promise<string[]> {
    return this.#withEntries(async (entries) => entries.map((entry) => entry.fileName));
  }

  /** @param use takes the entries to be read, sorted by name */
  async #withEntries<T>(use: (entries: readonly Entry[], zip: ZipFile) => Promise<T>): Promise<T> {
    const zip = await openZip(this.#archive).catch((error) => this.#failBroken(error));
    try {
      return await use(await this.#readDirectory(zip), zip);
    } finally {
      zip.close();
    }
  }

  async #readDirectory(zip: ZipFile): Promise<Entry[]> {
    const entries: Entry[] = [];
    try {
      for await (const entry of zip.eachEntry()) {
        if (!entry.fileName.endsWith('/') && !isHidden(entry.fileName)) entries.push(entry);
      }
    } catch (error) {
      this.#failBroken(error);
    }
    entries.sort((a, b) => compareCodeUnits(a.fileName, b.fileName));
    const twice = entries.find((entry, i) => entry.fileName === entries[i + 1]?.fileName);
    // It is unclear which one is meant.
    if (twice !== undefined)
      this.#failBroken(new Error(`the name ${JSON.stringify(twice.fileName)} occurs twice`));
    return entries;
  }

  /** Ends with an error as soon as the file is longer than its declared size. */
  async *#read(zip: ZipFile, entry: Entry): AsyncGenerator<Uint8Array> {
    const where = `${this.#label}: ${entry.fileName}`;
    const fix = 'Download the archive again.';
    let checksum = 0;
    try {
      for await (const chunk of await zip.openReadStreamPromise(entry)) {
        checksum = crc32(chunk, checksum);
        yield chunk;
      }
    } catch (error) {
      const text = `it cannot be unpacked: ${messageOf(error)}.`;
      throw new ReproError('data-corrupt', text, { where, fix, cause: error });
    }
    if (checksum === entry.crc32) return;
    throw new ReproError('data-corrupt', 'its bytes do not match the checksum in the archive.', {
      where,
      fix,
    });
  }

  #failBroken(error: unknown): never {
    if (error instanceof ReproError || hasErrorCode(error, 'ENOENT', 'EACCES', 'ELOOP')) throw error;
    throw new ReproError('archive-broken', `this is not a complete zip archive (${messageOf(error)}).`, {
      where: this.#label,
      fix: 'The download is probably incomplete: download it again.',
      cause: error,
    });
  }
}
