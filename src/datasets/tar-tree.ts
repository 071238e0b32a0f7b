import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { ReproError } from '../errors.ts';
import { type FileTree, isHidden, type TreeFile } from './file-tree.ts';

/** The files of a `.tar.gz`, in archive order, read while unpacking: nothing is written to disk. */
export class TarTree implements FileTree {
  readonly #archive: string;
  readonly #label: string;

  constructor(archive: string, label: string) {
    this.#archive = archive;
    this.#label = label;
  }

  /**
   * @throws {ReproError} `archive-cut` if it ends too early, `archive-broken` if it is not a `.tar.gz`,
   *   `archive-unsafe` for a path that leaves the archive or a link
   */
  async walk(visit: (file: TreeFile) => Promise<void>, signal?: AbortSignal): Promise<void> {
    const source = createReadStream(this.#archive, { highWaterMark: 1 << 20 });
    const options = signal === undefined ? {} : { signal };
    // Leaving the loop early closes the streams, and `pipeline` then reports that instead of the original error.
    let first: { readonly error: unknown } | null = null;
    const parse = (chunks: AsyncIterable<Uint8Array>) =>
      parseTar(chunks, visit, this.#label).catch((error: unknown) => {
        first = { error };
        throw error;
      });
    try {
      await pipeline(source, createGunzip({ chunkSize: 1 << 18 }), parse, options);
    } catch (error) {
      signal?.throwIfAborted();
      throw await this.#explain((first as { readonly error: unknown } | null)?.error ?? error);
    }
  }

  async #explain(error: unknown): Promise<unknown> {
    if (error instanceof ReproError) return error;
    const code = (error as NodeJS.ErrnoException).code ?? '';
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

async function parseTar(
  chunks: AsyncIterable<Uint8Array>,
  visit: (file: TreeFile) => Promise<void>,
  label: string,
): Promise<void> {
  let failure: { readonly error: unknown } | null = null;
  const fail = (error: unknown) => {
    failure ??= { error };
  };
  // The parser yields one entry at a time, the next once the previous one has been read to its end.
  let visits = Promise.resolve();
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry) => {
      const visitNext = async () => {
        if (failure === null) await visitEntry(entry, visit, label).catch(fail);
        entry.resume();
      };
      visits = visits.then(visitNext);
    },
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
    if (!flowing) await Promise.race([broken, new Promise<void>((resolve) => parser.once('drain', resolve))]);
    if (failure !== null) break;
  }
  if (failure === null) {
    parser.end();
    await Promise.race([broken, ended.then(() => visits)]);
  }
  if (failure !== null) throw (failure as { readonly error: unknown }).error;
}

async function visitEntry(
  entry: ReadEntry,
  visit: (file: TreeFile) => Promise<void>,
  label: string,
): Promise<void> {
  const name = entry.path.replace(/^(?:\.\/)+/, '');
  const unsafe = (what: string): never => {
    throw new ReproError('archive-unsafe', `${what}: ${JSON.stringify(entry.path)}.`, {
      where: label,
      fix: 'This is not the published archive of the data set: download that one.',
    });
  };
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name) || name.split(/[\\/]/).includes('..')) {
    unsafe('a path that leaves the archive');
  }
  if (entry.type === 'Directory' || entry.type === 'GNUDumpDir' || isHidden(name)) return;
  if (entry.type !== 'File' && entry.type !== 'OldFile' && entry.type !== 'ContiguousFile') {
    unsafe(`an entry that is not a plain file (${entry.type})`);
  }
  await visit({ path: name, sizeBytes: entry.size, open: () => entry });
}
