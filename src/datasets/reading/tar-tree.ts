import { stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { ReproError } from '../../errors.ts';
import { streamRegular } from '../../files/regular-file.ts';
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

/** The files of a `.tar.gz`, in archive order, read while unpacking: nothing is written to disk. */
export class TarTree implements FileTree {
  readonly #archive: string;
  readonly #label: string;
  readonly #limits: ArchiveLimits;

  constructor(archive: string, label: string, limits: ArchiveLimits = ARCHIVE_LIMITS) {
    this.#archive = archive;
    this.#label = label;
    this.#limits = limits;
  }

  /** The files directly in one folder of an archive, by their names in it. */
  static folder(archive: string, folder: string): FileTree {
    const tar = new TarTree(archive, path.basename(archive));
    return {
      walk: (visit, signal) =>
        tar.walk(async (file) => {
          const [parent, name, ...rest] = file.path.split('/');
          if (parent === folder && name !== undefined && rest.length === 0)
            await visit({ ...file, path: name });
        }, signal),
    };
  }

  /**
   * @throws {ReproError} `archive-cut` if it ends too early, `archive-broken` if it is not a `.tar.gz`,
   *   `archive-unsafe` for a path that leaves the archive, a link, or more than the limits allow
   */
  async walk(visit: (file: TreeFile) => Promise<void>, signal?: AbortSignal): Promise<void> {
    const source = streamRegular(this.#archive);
    const options = signal === undefined ? {} : { signal };
    // Leaving the loop early closes the streams, and `pipeline` then reports that instead of the original error.
    const failures: unknown[] = [];
    const gunzip = createGunzip({ chunkSize: 1 << 18 });
    const parse = (chunks: AsyncIterable<Uint8Array>) => {
      const limited = this.#limitRatio(chunks, () => gunzip.bytesWritten);
      return new Walk(visit, this.#label, this.#limits).parse(limited).catch((error: unknown) => {
        failures.push(error);
        throw error;
      });
    };
    try {
      await pipeline(source, gunzip, parse, options);
    } catch (error) {
      signal?.throwIfAborted();
      throw await this.#explain(failures.length > 0 ? failures[0] : error);
    }
  }

  /** Passes on what is unpacked, as long as the ratio to the packed bytes is plausible. */
  async *#limitRatio(
    chunks: AsyncIterable<Uint8Array>,
    packedBytes: () => number,
  ): AsyncGenerator<Uint8Array> {
    let unpackedBytes = 0;
    for await (const chunk of chunks) {
      // The parser would unpack that again without any limit. No file name begins with this byte.
      if (unpackedBytes === 0 && chunk[0] === 0x1f) throw unsafeArchive('gzip inside gzip', this.#label);
      unpackedBytes += chunk.length;
      const problem = ratioProblem(unpackedBytes, packedBytes(), this.#limits);
      if (problem !== null) throw unsafeArchive(problem, this.#label);
      yield chunk;
    }
  }

  async #explain(error: unknown): Promise<unknown> {
    if (error instanceof ReproError) return error;
    const code =
      error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
    if (code === 'Z_BUF_ERROR' || code === 'TAR_BAD_ARCHIVE') {
      const { size } = await stat(this.#archive);
      return new ReproError('archive-cut', `the archive ends too early, after ${size} bytes.`, {
        where: this.#label,
        fix: 'The download is incomplete: download it again.',
        cause: error,
      });
    }
    if (code.startsWith('Z_') || code.startsWith('TAR_')) {
      return new ReproError('archive-broken', 'this is not a complete .tar.gz archive.', {
        where: this.#label,
        fix: 'Download it again.',
        cause: error,
      });
    }
    return error;
  }
}

class Walk {
  readonly #visit: (file: TreeFile) => Promise<void>;
  readonly #label: string;
  readonly #limits: ArchiveLimits;
  #entries = 0;

  constructor(visit: (file: TreeFile) => Promise<void>, label: string, limits: ArchiveLimits) {
    this.#visit = visit;
    this.#label = label;
    this.#limits = limits;
  }

  async parse(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    // The first one counts.
    const failures: unknown[] = [];
    const fail = (error: unknown) => {
      failures.push(error);
    };
    // The parser yields one entry at a time, the next once the previous one has been read to its end.
    let visits = Promise.resolve();
    const parser = new Parser({
      strict: true,
      // Not zstd or Brotli, which it would unpack too.
      gzip: true,
      onReadEntry: (entry) => {
        const visitNext = async () => {
          if (failures.length === 0) await this.#visitEntry(entry).catch(fail);
          entry.resume();
        };
        visits = visits.then(visitNext);
      },
    });
    // Otherwise sparse files and other kinds that the parser does not know would be skipped silently.
    parser.on('ignoredEntry', (entry: ReadEntry) => {
      try {
        this.#checkIgnored(entry);
      } catch (error) {
        fail(error);
      }
    });
    // After a parser error, the entry being read may never end, so it is not awaited.
    const broken = new Promise<void>((resolve) => {
      parser.on('error', (error: unknown) => {
        fail(error);
        resolve();
      });
    });
    const ended = new Promise<void>((resolve) => {
      parser.on('end', resolve);
    });
    for await (const chunk of chunks) {
      const flowing = parser.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      if (!flowing)
        await Promise.race([broken, new Promise<void>((resolve) => parser.once('drain', resolve))]);
      if (failures.length > 0) break;
    }
    if (failures.length === 0) {
      parser.end();
      await Promise.race([broken, ended.then(() => visits)]);
    }
    if (failures.length > 0) throw failures[0];
  }

  async #visitEntry(entry: ReadEntry): Promise<void> {
    const name = this.#checkName(entry);
    if (entry.type === 'Directory' || entry.type === 'GNUDumpDir' || isHidden(name)) return;
    if (entry.type !== 'File' && entry.type !== 'OldFile' && entry.type !== 'ContiguousFile') {
      throw this.#unsafe(`an entry that is not a plain file (${entry.type})`, entry);
    }
    const problem = sizeProblem(entry.size, this.#limits);
    if (problem !== null) throw this.#unsafe(problem, entry);
    await this.#visit({ path: name, sizeBytes: entry.size, open: () => entry });
  }

  #checkIgnored(entry: ReadEntry): void {
    // A header of more than a megabyte, before a file whose name it changes.
    if (entry.meta) throw this.#unsafe(`a header of ${entry.size} bytes`, entry);
    if (isHidden(this.#checkName(entry))) return;
    throw this.#unsafe(`an entry that is not a plain file (${entry.type})`, entry);
  }

  /** Counts an entry. @returns its name without leading `./` */
  #checkName(entry: ReadEntry): string {
    this.#entries += 1;
    const count = countProblem(this.#entries, this.#limits);
    if (count !== null) throw unsafeArchive(count, this.#label);
    const name = entry.path.replace(/^(?:\.\/)+/, '');
    const problem = nameProblem(name);
    // `./` itself is often the first entry.
    if (problem !== null && name !== '') throw this.#unsafe(problem, entry);
    return name;
  }

  #unsafe(what: string, entry: ReadEntry): ReproError {
    return unsafeArchive(`${what}: ${JSON.stringify(entry.path)}`, this.#label);
  }
}
