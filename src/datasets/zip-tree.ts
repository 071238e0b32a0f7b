import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { ReproError } from '../errors.ts';
import { byName, type FileTree, isHidden, type TreeFile } from './file-tree.ts';

/** The file type bits of the Unix mode in a zip entry's external attributes. */
const KIND_MASK = 0o170000;
const PLAIN_FILE = 0o100000;
/** yauzl's message for a name it rejects. */
const UNSAFE_NAME = /^(?:absolute path|invalid relative path|invalid characters in fileName): /;

/** The files of a zip, sorted by name, unpacked while reading, each checked against its checksum. */
export class ZipTree implements FileTree {
  readonly #archive: string;
  readonly #label: string;

  constructor(archive: string, label: string) {
    this.#archive = archive;
    this.#label = label;
  }

  /**
   * @throws {ReproError} `archive-broken` if it ends too early or is not a zip, `archive-unsafe` for a path that leaves
   *   the archive, a link, or a duplicate name, `data-corrupt` for a file that does not match its checksum
   */
  async walk(visit: (file: TreeFile) => Promise<void>, signal?: AbortSignal): Promise<void> {
    await this.#withEntries(async (zip, entries) => {
      for (const entry of entries) {
        signal?.throwIfAborted();
        await visit({
          path: entry.fileName,
          sizeBytes: entry.uncompressedSize,
          open: () => this.#read(zip, entry),
        });
      }
    });
  }

  /** The names alone, sorted. */
  async list(): Promise<string[]> {
    const names: string[] = [];
    await this.#withEntries(async (_, entries) => {
      names.push(...entries.map((entry) => entry.fileName));
    });
    return names;
  }

  async #withEntries(use: (zip: ZipFile, entries: readonly Entry[]) => Promise<void>): Promise<void> {
    const zip = await openPromise(this.#archive, { lazyEntries: true, autoClose: false }).catch((error) =>
      this.#failBroken(error),
    );
    try {
      const entries: Entry[] = [];
      try {
        for await (const entry of zip.eachEntry()) {
          if (entry.fileName.endsWith('/') || isHidden(entry.fileName)) continue;
          this.#checkKind(entry);
          entries.push(entry);
        }
      } catch (error) {
        if (error instanceof ReproError) throw error;
        if (error instanceof Error && UNSAFE_NAME.test(error.message)) this.#failUnsafe(error.message);
        this.#failBroken(error);
      }
      entries.sort((a, b) => byName(a.fileName, b.fileName));
      const twice = entries.find((entry, i) => entry.fileName === entries[i + 1]?.fileName);
      if (twice !== undefined) this.#failUnsafe(`${JSON.stringify(twice.fileName)} occurs twice`);
      await use(zip, entries);
    } finally {
      zip.close();
    }
  }

  #checkKind(entry: Entry): void {
    const kind = (entry.externalFileAttributes >>> 16) & KIND_MASK;
    if (entry.isEncrypted() || (kind !== 0 && kind !== PLAIN_FILE)) {
      this.#failUnsafe(`${JSON.stringify(entry.fileName)} is not a plain file`);
    }
  }

  async *#read(zip: ZipFile, entry: Entry): AsyncGenerator<Uint8Array> {
    let checksum = 0;
    try {
      for await (const chunk of await zip.openReadStreamPromise(entry)) {
        checksum = crc32(chunk, checksum);
        yield chunk;
      }
    } catch (error) {
      throw new ReproError('data-corrupt', 'it cannot be unpacked.', {
        where: `${this.#label}: ${entry.fileName}`,
        fix: 'Download the archive again.',
        cause: error,
      });
    }
    if (checksum !== entry.crc32) {
      throw new ReproError('data-corrupt', 'its bytes do not match the checksum in the archive.', {
        where: `${this.#label}: ${entry.fileName}`,
        fix: 'Download the archive again.',
      });
    }
  }

  #failUnsafe(what: string): never {
    throw new ReproError('archive-unsafe', `${what}.`, {
      where: this.#label,
      fix: 'This is not the published archive of the data set: download that one.',
    });
  }

  #failBroken(error: unknown): never {
    const detail = error instanceof Error ? error.message : String(error);
    throw new ReproError('archive-broken', `this is not a complete zip archive (${detail}).`, {
      where: this.#label,
      fix: 'The download is probably incomplete: download it again.',
      cause: error,
    });
  }
}
