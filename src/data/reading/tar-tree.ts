import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { streamRegular } from '../../base/files/regular-file.ts';
import { type FileTree, FolderTree, isHidden, kindOfSource, type TreeFile } from './file-tree.ts';

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
  if ((await kindOfSource(root)) === 'file') return packed(root);
  for (const folder of [root, path.join(root, names.folder)]) {
    if ((await kindOfSource(folder)) !== 'folder' || !(await isUnpacked(folder))) continue;
    const tree = new FolderTree(folder, 1);
    return { archive: null, tree, list: () => tree.list() };
  }
  const archive = path.join(root, names.archive);
  return (await kindOfSource(archive)) === 'file' ? packed(archive) : null;
}

/** The files of a `.tar.gz`, in archive order, read while unpacking: nothing is written to disk. Links and devices are left out. */
export class TarTree implements FileTree {
  readonly #archive: string;
  readonly #label: string;

  constructor(archive: string, label: string) {
    this.#archive = archive;
    this.#label = label;
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

  /** The names alone, sorted: unpacks all of it. */
  async list(): Promise<string[]> {
    const names: string[] = [];
    await this.walk(async (file) => void names.push(file.path));
    return names.sort(compareCodeUnits);
  }

  /** @throws {ReproError} `archive-cut` if it ends too early, `archive-broken` if it is not a `.tar.gz` */
  async walk(visit: Visit, signal?: AbortSignal): Promise<void> {
    // One visit after the other: the parser waits until each entry has been read.
    let visits = Promise.resolve();
    const failures: unknown[] = [];
    const parser = new Parser({
      strict: true,
      onReadEntry: (entry) => {
        visits = visits.then(async () => {
          if (failures.length === 0) await visitEntry(entry, visit).catch((error) => failures.push(error));
          entry.resume();
        });
      },
    });
    // The parser would collect in memory whatever follows the end of the tar.
    let isOver = false;
    parser.on('eof', () => {
      isOver = true;
    });
    const gunzip = createGunzip({ chunkSize: 1 << 18 });
    const packed = Readable.from(streamRegular(this.#archive));
    packed.on('error', (error) => gunzip.destroy(error)).pipe(gunzip);
    try {
      // In strict mode, `write` and `end` throw what is wrong with the archive.
      for await (const chunk of gunzip) {
        signal?.throwIfAborted();
        if (!isOver && !parser.write(chunk)) await once(parser, 'drain');
        if (failures.length > 0) break;
      }
      if (failures.length === 0) {
        parser.end();
        await visits;
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw await this.#explain(error);
    } finally {
      packed.destroy();
    }
    if (failures.length > 0) throw await this.#explain(failures[0]);
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

async function visitEntry(entry: ReadEntry, visit: Visit): Promise<void> {
  const name = entry.path.replace(/^(?:\.\/)+/, '');
  const isFile = entry.type === 'File' || entry.type === 'OldFile' || entry.type === 'ContiguousFile';
  if (isFile && !isHidden(name)) await visit({ path: name, sizeBytes: entry.size, open: () => entry });
}
