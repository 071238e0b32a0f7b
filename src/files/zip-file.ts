import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { fromRandomAccessReaderPromise, type Options, RandomAccessReader, type ZipFile } from 'yauzl';
import { openRegular } from './regular-file.ts';

const chunkBytes = 1 << 20;

/** For yazl: nothing is compressed and every time is the same, so that the same files give the same bytes with any Node.js, anywhere. */
export const uncompressed = () => ({
  compress: false,
  forceDosTimestamp: true,
  mtime: new Date(1980, 0, 1), // a local time, as zips store it
});

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
