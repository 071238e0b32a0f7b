import { closeSync } from 'node:fs';
import { fromFdPromise, type Options, type ZipFile } from 'yauzl';
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

/** @throws {ReproError} `special-file`; otherwise as `fs.open` and yauzl */
export async function openZip(file: string, options: Options): Promise<ZipFile> {
  const descriptor = openRegularSync(file);
  try {
    return await fromFdPromise(descriptor, options);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}
