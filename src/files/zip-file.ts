import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { fromRandomAccessReaderPromise, type Options, RandomAccessReader, type ZipFile } from 'yauzl';
import * as yazl from 'yazl';
import { openRegular } from './regular-file.ts';

const chunkBytes = 1 << 20;

/**
 * A zip with these contents, or files on disk, by name. Nothing is compressed and every time is the same, so that the same files give the
 * same bytes with any Node.js, anywhere. No file is opened before the zip is read.
 */
export async function* packZip(
  entries: Iterable<readonly [name: string, contentOrFile: Uint8Array | string]>,
  mode = 0o100664,
): AsyncGenerator<Uint8Array> {
  const zip = new yazl.ZipFile();
  const mtime = new Date(1980, 0, 1); // a local time, as zips store it
  const options = { compress: false, forceDosTimestamp: true, mtime, mode };
  for (const [name, content] of entries) {
    if (typeof content === 'string') zip.addFile(content, name, options);
    else zip.addBuffer(Buffer.from(content), name, options);
  }
  zip.on('error', (error) => zip.outputStream.emit('error', error));
  zip.end();
  for await (const chunk of zip.outputStream) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

/** @throws {ReproError} `special-file`; otherwise as `fs.open` and yauzl */
export async function openZip(file: string, options: Options): Promise<ZipFile> {
  const handle = await openRegular(file);
  try {
    const { size } = await handle.stat();
    return await fromRandomAccessReaderPromise(new HandleReader(handle), size, options);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** yauzl's own reader throws an uncatchable error if a zip file claims data beyond byte 2^53. */
class HandleReader extends RandomAccessReader {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    super();
    this.#handle = handle;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.#readRange(start, end), { objectMode: false });
  }

  async *#readRange(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end; ) {
      const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, end - at));
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  override close(onClosed: (error: Error | null) => void): void {
    this.#handle.close().then(() => onClosed(null), onClosed);
  }
}
