import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { compareCodeUnits } from '../../files/canonical-json.ts';
import { openZip } from '../../files/zip-file.ts';
import { ARCHIVE_LIMITS, ArchiveGuard, type ArchiveLimits } from './archive-limits.ts';
import { type FileTree, isHidden, type TreeFile } from './file-tree.ts';

/** The file type bits of the Unix mode in a zip entry's external attributes. */
const KIND_MASK = 0o170000;
const PLAIN_FILE = 0o100000;
/** yauzl's message for a name it rejects. */
const UNSAFE_NAME = /^(?:absolute path|invalid relative path|invalid characters in fileName): /;

/** The files of a zip or zip64, sorted by name, unpacked while reading, each checked against its checksum. */
export class ZipTree implements FileTree {
  readonly #archive: string;
  readonly #label: string;
  readonly #guard: ArchiveGuard;

  constructor(archive: string, label: string, limits: ArchiveLimits = ARCHIVE_LIMITS) {
    this.#archive = archive;
    this.#label = label;
    this.#guard = new ArchiveGuard(label, limits);
  }

  /**
   * @throws {ReproError} `archive-broken` if it ends too early or is not a zip, `archive-unsafe` for a path that leaves
   *   the archive, a link, a duplicate name, or more than the limits allow, `data-corrupt` for a file that does not match its
   *   size or checksum
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
    const options = { lazyEntries: true, autoClose: false, strictFileNames: true };
    const zip = await openZip(this.#archive, options).catch((error) => this.#failBroken(error));
    try {
      this.#guard.checkCount(zip.entryCount);
      const entries = await this.#readDirectory(zip);
      entries.sort((a, b) => compareCodeUnits(a.fileName, b.fileName));
      const twice = entries.find((entry, i) => entry.fileName === entries[i + 1]?.fileName);
      if (twice !== undefined) this.#guard.refuse('a name occurs twice', twice.fileName);
      return await use(entries, zip);
    } finally {
      zip.close();
    }
  }

  async #readDirectory(zip: ZipFile): Promise<Entry[]> {
    const entries: Entry[] = [];
    let unpackedBytes = 0;
    try {
      for await (const entry of zip.eachEntry()) {
        const { fileName: name, uncompressedSize } = entry;
        this.#guard.checkName(name);
        if (name.endsWith('/') || isHidden(name)) continue;
        const kind = (entry.externalFileAttributes >>> 16) & KIND_MASK;
        if (entry.isEncrypted() || (kind !== 0 && kind !== PLAIN_FILE)) {
          this.#guard.refuse('an entry that is not a plain file', name);
        }
        this.#guard.checkSize(uncompressedSize, name);
        this.#guard.checkRatio(uncompressedSize, entry.compressedSize, name);
        unpackedBytes += uncompressedSize;
        this.#guard.checkRatio(unpackedBytes, zip.fileSize);
        entries.push(entry);
      }
    } catch (error) {
      if (error instanceof Error && UNSAFE_NAME.test(error.message)) this.#guard.refuse(error.message);
      this.#failBroken(error);
    }
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
      throw new ReproError('data-corrupt', 'it cannot be unpacked.', { where, fix, cause: error });
    }
    if (checksum === entry.crc32) return;
    throw new ReproError('data-corrupt', 'its bytes do not match the checksum in the archive.', {
      where,
      fix,
    });
  }

  #failBroken(error: unknown): never {
    if (error instanceof ReproError || hasErrorCode(error, 'ENOENT', 'EACCES', 'ELOOP')) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new ReproError('archive-broken', `this is not a complete zip archive (${detail}).`, {
      where: this.#label,
      fix: 'The download is probably incomplete: download it again.',
      cause: error,
    });
  }
}
