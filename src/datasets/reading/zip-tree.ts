import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { compareCodeUnits } from '../../files/canonical-json.ts';
import { openZip } from '../../files/zip-file.ts';
import {
  ARCHIVE_LIMITS,
  type ArchiveLimits,
  countProblem,
  nameProblem,
  ratioProblem,
  sizeProblem,
  unsafeArchive,
} from './archive-limits.ts';
import { type FileTree, isHidden, type TreeFile } from './file-tree.ts';

const STORED = 0;
const DEFLATED = 8;
/** yauzl's message for a name it rejects. */
const UNSAFE_NAME = /^(?:absolute path|invalid relative path|invalid characters in fileName): /;

interface Opened {
  readonly zip: ZipFile;
  /** Those to be read, sorted by name. */
  readonly entries: readonly Entry[];
  /** Where the entry that starts at a position has to end. */
  readonly ends: ReadonlyMap<number, number>;
}

/** The files of a zip or zip64, sorted by name, unpacked while reading, each checked against its checksum. */
export class ZipTree implements FileTree {
  readonly #archive: string;
  readonly #label: string;
  readonly #limits: ArchiveLimits;

  constructor(archive: string, label: string, limits: ArchiveLimits = ARCHIVE_LIMITS) {
    this.#archive = archive;
    this.#label = label;
    this.#limits = limits;
  }

  /**
   * @throws {ReproError} `archive-broken` if it ends too early or is not a zip, `archive-unsafe` for a path that leaves
   *   the archive, a link, a duplicate name, entries that share bytes, or more than the limits allow, `data-corrupt` for a
   *   file that does not match its size or checksum
   */
  async walk(visit: (file: TreeFile) => Promise<void>, signal?: AbortSignal): Promise<void> {
    await this.#withEntries(async (opened) => {
      for (const entry of opened.entries) {
        signal?.throwIfAborted();
        await visit({
          path: entry.fileName,
          sizeBytes: entry.uncompressedSize,
          open: () => this.#read(opened, entry),
        });
      }
    });
  }

  /** The names alone, sorted. */
  async list(): Promise<string[]> {
    return this.#withEntries(async ({ entries }) => entries.map((entry) => entry.fileName));
  }

  async #withEntries<T>(use: (opened: Opened) => Promise<T>): Promise<T> {
    const options = { lazyEntries: true, autoClose: false, strictFileNames: true };
    const zip = await openZip(this.#archive, options).catch((error) => this.#failBroken(error));
    try {
      this.#refuse(countProblem(zip.entryCount, this.#limits));
      // Before the first entry is read, the cursor is at the directory; its published type is wrong.
      const directoryStart = Number(zip.readEntryCursor);
      const { entries, places } = await this.#readDirectory(zip);
      const ends = findEnds(places, directoryStart);
      if ('problem' in ends) this.#failUnsafe(ends.problem);
      const unpackedBytes = places.reduce((sum, place) => sum + place.unpackedBytes, 0);
      this.#refuse(ratioProblem(unpackedBytes, zip.fileSize, this.#limits));
      entries.sort((a, b) => compareCodeUnits(a.fileName, b.fileName));
      const twice = entries.find((entry, i) => entry.fileName === entries[i + 1]?.fileName);
      if (twice !== undefined) this.#failUnsafe(`${JSON.stringify(twice.fileName)} occurs twice`);
      return await use({ zip, entries, ends });
    } finally {
      zip.close();
    }
  }

  /** The entries to be read, and the places of all. */
  async #readDirectory(zip: ZipFile): Promise<{ entries: Entry[]; places: ZipPlace[] }> {
    const entries: Entry[] = [];
    const places: ZipPlace[] = [];
    try {
      for await (const entry of zip.eachEntry()) {
        this.#refuse(nameProblem(entry.fileName), `: ${JSON.stringify(entry.fileName)}`);
        const start = entry.relativeOffsetOfLocalHeader;
        const end = start + LOCAL_HEADER_BYTES + entry.fileNameLength + entry.compressedSize;
        places.push({ name: entry.fileName, start, end, unpackedBytes: entry.uncompressedSize });
        if (entry.fileName.endsWith('/') || isHidden(entry.fileName)) continue;
        this.#refuse(entryProblem(entry, this.#limits));
        entries.push(entry);
      }
    } catch (error) {
      if (error instanceof ReproError) throw error;
      if (error instanceof Error && UNSAFE_NAME.test(error.message)) this.#failUnsafe(error.message);
      this.#failBroken(error);
    }
    return { entries, places };
  }

  async *#read(opened: Opened, entry: Entry): AsyncGenerator<Uint8Array> {
    let checksum = 0;
    try {
      for await (const chunk of await this.#open(opened, entry)) {
        checksum = crc32(chunk, checksum);
        yield chunk;
      }
    } catch (error) {
      if (error instanceof ReproError) throw error;
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

  /** The stream ends with an error as soon as it is longer than the entry's declared size. */
  async #open({ zip, ends }: Opened, entry: Entry): Promise<Readable> {
    const { compressionMethod: method, compressedSize, uncompressedSize } = entry;
    if (method !== STORED && method !== DEFLATED)
      throw new Error(`unsupported compression method: ${method}`);
    const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
    const end = ends.get(entry.relativeOffsetOfLocalHeader) ?? 0;
    if (fileDataStart + compressedSize > end) {
      this.#failUnsafe(`${JSON.stringify(entry.fileName)} shares bytes with what follows it`);
    }
    return new Promise((resolve, reject) => {
      zip.openReadStreamLowLevel(
        fileDataStart,
        compressedSize,
        0,
        compressedSize,
        method === DEFLATED,
        uncompressedSize,
        (error, stream) => (error === null ? resolve(stream) : reject(error)),
      );
    });
  }

  #refuse(problem: string | null, about = ''): void {
    if (problem !== null) this.#failUnsafe(problem + about);
  }

  #failUnsafe(what: string): never {
    throw unsafeArchive(what, this.#label);
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

/** The file type bits of the Unix mode in a zip entry's external attributes. */
const KIND_MASK = 0o170000;
const PLAIN_FILE = 0o100000;
/** Of a local header, before the name. */
const LOCAL_HEADER_BYTES = 30;

/** Where an entry is in the archive, in bytes from its start. */
interface ZipPlace {
  readonly name: string;
  /** Of its local header. */
  readonly start: number;
  /** At least: the local header may be longer than the directory tells. */
  readonly end: number;
  readonly unpackedBytes: number;
}

/** What is wrong with an entry to be read, by itself; null if nothing. */
function entryProblem(entry: Entry, limits: ArchiveLimits): string | null {
  const kind = (entry.externalFileAttributes >>> 16) & KIND_MASK;
  const quoted = JSON.stringify(entry.fileName);
  if (entry.isEncrypted() || (kind !== 0 && kind !== PLAIN_FILE)) return `${quoted} is not a plain file`;
  const problem =
    sizeProblem(entry.uncompressedSize, limits) ??
    ratioProblem(entry.uncompressedSize, entry.compressedSize, limits);
  return problem === null ? null : `${quoted}: ${problem}`;
}

/**
 * Where each entry has to end: where the next one or the directory starts. Entries that share bytes unpack to far more than
 * their archive's size allows: the trick of the smallest zip bombs.
 *
 * @param directoryStart position of the directory, which follows all entries
 * @returns for each start, the end; or what is wrong
 */
function findEnds(
  places: readonly ZipPlace[],
  directoryStart: number,
): ReadonlyMap<number, number> | { readonly problem: string } {
  const ordered = [...places].sort((a, b) => a.start - b.start);
  const ends = new Map<number, number>();
  for (const [i, place] of ordered.entries()) {
    const next = ordered[i + 1];
    const end = Math.min(next?.start ?? directoryStart, directoryStart);
    if (place.end > end) {
      const other =
        next === undefined || next.start >= directoryStart
          ? "the archive's directory"
          : JSON.stringify(next.name);
      return { problem: `${JSON.stringify(place.name)} shares bytes with ${other}` };
    }
    ends.set(place.start, end);
  }
  return ends;
}
