import { close, closeSync, createReadStream, fstatSync, read } from 'node:fs';
import { fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import * as yazl from 'yazl';
import { openRegularSync } from './regular-file.ts';

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

/** Open until it is closed. @throws {ReproError} `special-file`; otherwise as `fs.open` and yauzl */
export async function openZip(file: string): Promise<ZipFile> {
  const descriptor = openRegularSync(file);
  try {
    const { size } = fstatSync(descriptor);
    return await fromRandomAccessReaderPromise(readerOf(descriptor, size), size, { autoClose: false });
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/**
 * yauzl's own reader passes any position of the file on to Node, which throws in a callback above 2^53, and then answers nothing more.
 * Here nothing is found beyond the end, as yauzl reports.
 */
function readerOf(fd: number, size: number): RandomAccessReader {
  // A stream that is given up closes its file, even without `autoClose`.
  const fs = { read, close: (_: number, done: () => void) => done() };
  return new (class extends RandomAccessReader {
    override read(...[room, at, length, position, done]: Parameters<RandomAccessReader['read']>): void {
      read(fd, room, at, length, Math.min(position, size), done);
    }

    override _readStreamForRange = (start: number, end: number) =>
      createReadStream('', { fd, fs, start, end: end - 1 });

    override close = (done: (error: Error | null) => void): void => close(fd, done);
  })();
}
