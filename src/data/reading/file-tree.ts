import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { readRegularInto, refuseUnreadableName, streamRegular } from '../../base/files/regular-file.ts';

/** One file of a data set, in a folder or in an archive. */
export interface TreeFile {
  /** Relative to the tree's root, with `/`. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Full path; absent in an archive. */
  readonly diskPath?: string;
  /** Its bytes; can be read once. */
  open(): AsyncIterable<Uint8Array>;
}

/** Files by name, wherever they are stored. */
export interface FileTree {
  /**
   * Visits every file, one after the other: sorted by name if possible, otherwise in archive order.
   * Files and folders whose names start with a dot are left out (macOS creates such files).
   *
   * @param wanted visits only these; it saves time where there are many files, but an archive may visit others too
   */
  walk(
    visit: (file: TreeFile) => Promise<void>,
    signal?: AbortSignal,
    wanted?: ReadonlySet<string>,
  ): Promise<void>;
}

export function isHidden(name: string): boolean {
  return name.split('/').some((part) => part.startsWith('.'));
}

/** The files below a folder, down to `depth` levels, sorted by name. */
export class FolderTree implements FileTree {
  readonly #folder: string;
  readonly #depth: number;
  readonly #prefix: string;

  /** @param prefix before each name, `Train/` */
  constructor(folder: string, depth: number, prefix = '') {
    this.#folder = folder;
    this.#depth = depth;
    this.#prefix = prefix;
  }

  async walk(
    visit: (file: TreeFile) => Promise<void>,
    signal?: AbortSignal,
    wanted?: ReadonlySet<string>,
  ): Promise<void> {
    for (const name of await this.list()) {
      signal?.throwIfAborted();
      if (wanted?.has(name) === false) continue;
      const diskPath = path.join(this.#folder, name.slice(this.#prefix.length));
      const { size: sizeBytes } = await stat(diskPath);
      await visit({ path: name, sizeBytes, diskPath, open: () => streamRegular(diskPath) });
    }
  }

  /** The names alone, sorted. */
  async list(): Promise<string[]> {
    const files: string[] = [];
    const gather = async (below: string, depth: number): Promise<void> => {
      for (const entry of await readdir(path.join(this.#folder, below), { withFileTypes: true })) {
        const name = below === '' ? entry.name : `${below}/${entry.name}`;
        if (entry.name.startsWith('.')) continue;
        refuseUnreadableName(path.join(this.#folder, below), entry.name);
        // Links are followed: large data are often on another disk. The depth limits what a link cycle can do.
        // A dangling link is not a file: the data set then reports it missing by name.
        const kind = entry.isSymbolicLink()
          ? await kindOfSource(path.join(this.#folder, name))
          : kindOf(entry);
        if (kind === 'file') files.push(this.#prefix + name);
        else if (kind === 'folder' && depth > 1) await gather(name, depth - 1);
      }
    };
    await gather('', this.#depth);
    return files.sort(compareCodeUnits);
  }
}

/** What a path is, following links; null if it does not exist or is neither a file nor a folder. */
export async function kindOfSource(target: string): Promise<'file' | 'folder' | null> {
  const found = await stat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP') return null;
    throw error;
  });
  return found === null ? null : kindOf(found);
}

function kindOf(found: Pick<Stats, 'isFile' | 'isDirectory'>): 'file' | 'folder' | null {
  if (found.isDirectory()) return 'folder';
  return found.isFile() ? 'file' : null;
}

/**
 * @param reused what it returned for another file and nothing reads any more: new memory for each recording takes longer than reading it
 * @throws {ReproError} `data-corrupt` if the file is larger than its kind can be
 */
export async function readWhole(
  file: TreeFile,
  mostBytes: number,
  reused: Uint8Array = new Uint8Array(),
): Promise<Uint8Array> {
  if (file.sizeBytes > mostBytes) {
    const text = `it has ${file.sizeBytes} bytes, but a file of this kind has at most ${mostBytes}.`;
    throw new ReproError('data-corrupt', text, { where: file.path, fix: 'Download the data set again.' });
  }
  // Not pieces put together at the end: then a recording would be in memory twice.
  const isRoomy = reused.buffer.byteLength >= file.sizeBytes;
  const bytes = isRoomy ? new Uint8Array(reused.buffer, 0, file.sizeBytes) : new Uint8Array(file.sizeBytes);
  if (file.diskPath !== undefined) return bytes.subarray(0, readRegularInto(file.diskPath, bytes));
  let size = 0;
  for await (const chunk of file.open()) {
    bytes.set(chunk.subarray(0, bytes.length - size), size);
    size += chunk.length;
  }
  return bytes.subarray(0, size);
}

interface FileHash {
  readonly sizeBytes: number;
  /** Hex md5 of the whole file, the checksum that the data sets are published with. */
  readonly md5: string;
}

/** Reads a file to its end. Aborts with the signal's reason. */
export function hashFile(file: string, signal: AbortSignal | undefined): Promise<FileHash> {
  return hashChunks(streamRegular(file), signal);
}

/** The same for bytes from any source. */
export async function hashChunks(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<FileHash> {
  const hash = createHash('md5');
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sizeBytes, md5: hash.digest('hex') };
}

/** Hex md5 of bytes in memory. */
export function md5Of(...parts: readonly Uint8Array[]): string {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
