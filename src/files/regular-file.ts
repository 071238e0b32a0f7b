import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { ReproError } from '../errors.ts';

/** O_NONBLOCK, since opening a pipe would otherwise wait until something writes to it. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * Opens a file that people or other machines name. The check is on the open file, so the file cannot be exchanged in between.
 *
 * @throws {ReproError} `special-file` if it is a folder, a pipe, a socket or a device; otherwise as `fs.open`
 */
export async function openRegular(file: string): Promise<FileHandle> {
  const handle = await fs.open(file, flags);
  try {
    refuseSpecial(await handle.stat(), file);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** As {@link openRegular}, for what reads without waiting. @returns the descriptor */
export function openRegularSync(file: string): number {
  const descriptor = openSync(file, flags);
  try {
    refuseSpecial(fstatSync(descriptor), file);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** The whole file. @throws as {@link openRegular} */
export async function readRegular(file: string): Promise<Buffer> {
  const handle = await openRegular(file);
  try {
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** The whole file, without waiting. @throws as {@link openRegular} */
export function readRegularSync(file: string): Buffer {
  const descriptor = openRegularSync(file);
  try {
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The file in pieces. @throws as {@link openRegular}, when the first piece is asked for */
export async function* streamRegular(file: string): AsyncGenerator<Buffer> {
  const handle = await openRegular(file);
  yield* handle.createReadStream({ highWaterMark: 1 << 20 });
}

function refuseSpecial(stats: Stats, file: string): void {
  if (stats.isFile()) return;
  const found = stats.isDirectory() ? 'a folder' : 'a pipe, a socket or a device';
  throw new ReproError('special-file', `expected a regular file, found ${found}`, {
    where: file,
    fix: 'Name a regular file, or put one in its place.',
  });
}
