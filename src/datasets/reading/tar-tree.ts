import { stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { ReproError } from '../../errors.ts';
import { streamRegular } from '../../files/regular-file.ts';
import { ARCHIVE_LIMITS, ArchiveGuard, type ArchiveLimits } from './archive-limits.ts';
import { type FileTree, FolderTree, isHidden, kindOfPath, type TreeFile } from './file-tree.ts';

type Visit = (file: TreeFile) => Promise<void>;

/** Where a data set is that is published as one folder in a `.tar.gz`. */
export interface PackedPlace {
  /** The archive's full path; null for a folder. */
  readonly archive: string | null;
  /** File names relative to the folder, whether it is packed or not. */
  readonly tree: FileTree;
  /** The file names, if listing them is cheap; otherwise null. */
  list(): Promise<readonly string[] | null>;
}

/**
 * Finds such a data set at `root`: the archive itself, a folder that contains it, or the unpacked folder or the one above,
 * which is preferred.
 *
 * @param isUnpacked whether the data are directly in a folder
 * @returns null if nothing of that is there
 */
export async function locatePacked(
  root: string,
  names: { readonly archive: string; readonly folder: string },
  isUnpacked: (folder: string) => Promise<boolean>,
): Promise<PackedPlace | null> {
  const packed = (archive: string): PackedPlace => ({
    archive,
    tree: TarTree.folder(archive, names.folder),
    list: async () => null,
  });
  if ((await kindOfPath(root)) === 'file') return packed(root);
  for (const folder of [root, path.join(root, names.folder)]) {
    if ((await kindOfPath(folder)) !== 'folder' || !(await isUnpacked(folder))) continue;
    const tree = new FolderTree(folder, 1);
    return { archive: null, tree, list: () => tree.list() };
  }
  const archive = path.join(root, names.archive);
  return (await kindOfPath(archive)) === 'file' ? packed(archive) : null;
}

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
  async walk(visit: Visit, signal?: AbortSignal): Promise<void> {
    const guard = new ArchiveGuard(this.#label, this.#limits);
    const gunzip = createGunzip({ chunkSize: 1 << 18 });
    const limited = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      let unpackedBytes = 0;
      for await (const chunk of chunks) {
        unpackedBytes += chunk.length;
        guard.checkRatio(unpackedBytes, gunzip.bytesWritten);
        yield chunk;
      }
    };
    // Leaving the loop early closes the streams, and `pipeline` then reports that instead of the original error.
    const failures: unknown[] = [];
    const parse = (chunks: AsyncIterable<Uint8Array>) =>
      visitEntries(limited(chunks), guard, visit).catch((error: unknown) => {
        failures.push(error);
        throw error;
      });
    try {
      await pipeline(streamRegular(this.#archive), gunzip, parse, { ...(signal && { signal }) });
    } catch (error) {
      signal?.throwIfAborted();
      throw await this.#explain(failures.length > 0 ? failures[0] : error);
    }
  }

  async #explain(error: unknown): Promise<unknown> {
    if (!(error instanceof Error) || error instanceof ReproError || !('code' in error)) return error;
    const code = String(error.code);
    const isCut = code === 'Z_BUF_ERROR' || code === 'TAR_BAD_ARCHIVE';
    if (!isCut && !/^(?:Z|TAR)_/.test(code)) return error;
    const details = { where: this.#label, fix: 'Download it again.', cause: error };
    if (!isCut) return new ReproError('archive-broken', 'this is not a complete .tar.gz archive.', details);
    const { size } = await stat(this.#archive);
    const fix = 'The download is incomplete: download it again.';
    return new ReproError('archive-cut', `the archive ends too early, after ${size} bytes.`, {
      ...details,
      fix,
    });
  }
}

/** Parses an unpacked archive and visits its files one after the other: the parser waits until each has been read. */
async function visitEntries(
  chunks: AsyncIterable<Uint8Array>,
  guard: ArchiveGuard,
  visit: Visit,
): Promise<void> {
  let entries = 0;
  /** Counts an entry. @returns its name without leading `./` */
  const checkName = (entry: ReadEntry): string => {
    guard.checkCount(++entries);
    const name = entry.path.replace(/^(?:\.\/)+/, '');
    // `./` itself is often the first entry.
    if (name !== '') guard.checkName(name);
    return name;
  };
  const visitEntry = async (entry: ReadEntry): Promise<void> => {
    const name = checkName(entry);
    if (entry.type === 'Directory' || entry.type === 'GNUDumpDir' || isHidden(name)) return;
    if (entry.type !== 'File' && entry.type !== 'OldFile' && entry.type !== 'ContiguousFile') {
      guard.refuse(`an entry that is not a plain file (${entry.type})`, entry.path);
    }
    guard.checkSize(entry.size, name);
    await visit({ path: name, sizeBytes: entry.size, open: () => entry });
  };
  // The first one counts.
  const failures: unknown[] = [];
  let visits = Promise.resolve();
  // Not zstd or Brotli, which it would unpack too.
  const parser = new Parser({
    strict: true,
    gzip: true,
    onReadEntry: (entry) => {
      visits = visits.then(async () => {
        if (failures.length === 0) await visitEntry(entry).catch((error: unknown) => failures.push(error));
        entry.resume();
      });
    },
  });
  // Otherwise sparse files and other kinds that the parser does not know would be skipped silently.
  parser.on('ignoredEntry', (entry: ReadEntry) => {
    try {
      // A header of more than a megabyte, before a file whose name it changes.
      if (entry.meta) guard.refuse(`a header of ${entry.size} bytes`, entry.path);
      if (!isHidden(checkName(entry))) {
        guard.refuse(`an entry that is not a plain file (${entry.type})`, entry.path);
      }
    } catch (error) {
      failures.push(error);
    }
  });
  // After a parser error, the entry being read may never end, so it is not awaited.
  const broken = new Promise<void>((resolve) => {
    parser.on('error', (error: unknown) => {
      failures.push(error);
      resolve();
    });
  });
  const ended = new Promise<void>((resolve) => void parser.on('end', resolve));
  for await (const chunk of chunks) {
    const flowing = parser.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    if (!flowing) {
      await Promise.race([broken, new Promise<void>((resolve) => void parser.once('drain', resolve))]);
    }
    if (failures.length > 0) break;
  }
  if (failures.length === 0) {
    parser.end();
    await Promise.race([broken, ended.then(() => visits)]);
  }
  if (failures.length > 0) throw failures[0];
}
