import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { syncFolder, writeFileAtomic } from '../../files/atomic-file.ts';
import { kindOfPath } from '../../files/folders.ts';
import { parseFields } from '../../formats/fields.ts';
import { showPath } from '../contract/how-to-get.ts';
import type { FileVersion } from './answer.ts';
import { explainWriteError } from './disk-space.ts';
import { type Checksum, PART_ENDING, SOURCE_ENDING } from './remote-file.ts';

/**
 * An incomplete download: `NAME.part`, and `NAME.part.json` that says where its bytes came from. The checksum of what it
 * holds is kept up to date. At any moment, the bytes are of the version that the note names: a new note is written only while
 * the part is empty. Only for one writer at a time.
 */
export class PartFile {
  readonly #target: string;
  readonly #part: string;
  readonly #note: string;
  readonly #checksum: Checksum;
  #hash: Hash;
  #handle: FileHandle | null = null;
  #source: PartSource | null = null;
  #bytes = 0;
  #earlierBytes = 0;

  private constructor(target: string, checksum: Checksum) {
    this.#target = target;
    this.#part = target + PART_ENDING;
    this.#note = target + SOURCE_ENDING;
    this.#checksum = checksum;
    this.#hash = createHash(checksum.kind);
  }

  /**
   * Reads what an earlier command left, to its end. A part of another version of the file is removed.
   *
   * @param target path of the complete file
   * @throws {ReproError} `fetch-part-unknown` if something else is in the part's place
   */
  static async open(target: string, checksum: Checksum, signal: AbortSignal | undefined): Promise<PartFile> {
    const file = new PartFile(target, checksum);
    const source = await readSource(file.#note, checksum);
    if (!(await file.#isThere(source !== 'absent'))) return file;
    if (typeof source === 'string') await file.discard();
    else {
      file.#source = source;
      await file.#readEarlier(signal);
    }
    return file;
  }

  get path(): string {
    return this.#part;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How many of its bytes an earlier command downloaded. */
  get earlierBytes(): number {
    return this.#earlierBytes;
  }

  /** null if there is no part. */
  get source(): PartSource | null {
    return this.#source;
  }

  async begin(source: PartSource): Promise<void> {
    try {
      // The old bytes are gone from the disk before the new note exists, even if the power fails.
      if (this.#handle !== null) {
        await this.#handle.truncate(0);
        await this.#handle.sync();
      }
      this.#forget();
      await writeSource(this.#note, this.#checksum, source);
      this.#handle ??= await fs.open(this.#part, 'w');
      this.#source = source;
    } catch (error) {
      throw explainWriteError(error, this.#part);
    }
  }

  async append(chunk: Uint8Array): Promise<void> {
    if (this.#handle === null) throw new Error('append before begin');
    try {
      for (let written = 0; written < chunk.length; ) {
        const { bytesWritten } = await this.#handle.write(
          chunk,
          written,
          chunk.length - written,
          this.#bytes + written,
        );
        written += bytesWritten;
      }
    } catch (error) {
      throw explainWriteError(error, this.#part);
    }
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
  }

  /** Hex checksum of its bytes. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Makes it the complete file, for good. */
  async complete(): Promise<void> {
    try {
      await this.#handle?.sync();
      await this.close();
      await this.#refuseToReplace();
      await fs.rename(this.#part, this.#target);
    } catch (error) {
      throw explainWriteError(error, this.#part);
    }
    await syncFolder(path.dirname(this.#target));
    await fs.rm(this.#note, { force: true });
  }

  async discard(): Promise<void> {
    await this.close();
    this.#forget();
    await fs.rm(this.#part, { force: true });
    // Last: a part without a note would not be recognised as ours.
    await fs.rm(this.#note, { force: true });
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = null;
  }

  #forget(): void {
    this.#hash = createHash(this.#checksum.kind);
    this.#source = null;
    this.#bytes = 0;
    this.#earlierBytes = 0;
  }

  async #isThere(hasNote: boolean): Promise<boolean> {
    const found = await fs.lstat(this.#part).catch((error: unknown) => {
      if (hasErrorCode(error, 'ENOENT')) return null;
      throw error;
    });
    if (found === null) return false;
    if (hasNote && found.isFile()) return true;
    // Firefox uses the same ending.
    throw new ReproError(
      'fetch-part-unknown',
      hasNote
        ? 'the incomplete download should be here, but this is not a plain file.'
        : 'the incomplete download should be here, but another program made this file: the note of where it came from is missing.',
      {
        where: showPath(this.#part),
        fix: 'If another program is downloading the file, let it finish. Otherwise delete or rename this file, then run again.',
      },
    );
  }

  async #readEarlier(signal: AbortSignal | undefined): Promise<void> {
    for await (const chunk of createReadStream(this.#part, { highWaterMark: 1 << 20 })) {
      signal?.throwIfAborted();
      this.#hash.update(chunk);
      this.#bytes += chunk.length;
    }
    this.#earlierBytes = this.#bytes;
    this.#handle = await fs.open(this.#part, 'r+');
  }

  /** The folder is locked against other downloads, but not against a browser that finished meanwhile. */
  async #refuseToReplace(): Promise<void> {
    try {
      await fs.lstat(this.#target);
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) return;
      throw error;
    }
    throw new ReproError('fetch-wrong-file', 'another program put this here during the download.', {
      where: showPath(this.#target),
      fix: 'Run again: it is checked, and the download is kept until then.',
    });
  }
}

/** Where the bytes of an incomplete download came from, kept in a small file beside them. */
interface PartSource {
  /** As listed, before redirects. */
  readonly url: string;
  readonly version: FileVersion;
}

/** The sole writer: the folder is locked. */
async function writeSource(file: string, checksum: Checksum, source: PartSource): Promise<void> {
  const { url, version } = source;
  const content = { version: 1, checksum, url, ...version };
  await writeFileAtomic(file, `${JSON.stringify(content, null, 2)}\n`, { soleWriter: true });
}

/**
 * @param checksum of the file wanted now
 * @returns `absent` if there is no such file; `useless` if it is damaged, or about a file with another checksum
 */
async function readSource(file: string, checksum: Checksum): Promise<PartSource | 'absent' | 'useless'> {
  const text = await fs.readFile(file, 'utf8').catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT')) return null;
    throw error;
  });
  if (text === null) return 'absent';
  try {
    const note = parseFields(text, { file, code: 'part-note', fix: '' });
    const own = note.object('checksum');
    if (note.number('version') !== 1) return 'useless';
    if (own.text('kind') !== checksum.kind || own.text('hex') !== checksum.hex) return 'useless';
    const tag = (name: string): string | null => (note.has(name) ? note.text(name) : null);
    const version = { etag: tag('etag'), lastModified: tag('lastModified'), ifRange: tag('ifRange') };
    return { url: note.text('url'), version };
  } catch (error) {
    if (error instanceof ReproError) return 'useless';
    throw error;
  }
}

/**
 * Removes the note that a command leaves if it is killed between giving the complete file its name and the end. Not if there
 * is a part, which another command may be writing.
 *
 * @param target path of the complete file
 */
export async function removeStrayNote(target: string): Promise<void> {
  if ((await kindOfPath(target + PART_ENDING)) !== null) return;
  await fs.rm(target + SOURCE_ENDING, { force: true }).catch(() => {
    // The folder may be read-only, and the note does no harm.
  });
}
