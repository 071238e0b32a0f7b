import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
} from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../errors.ts';
import { quoteWords } from './shell-words.ts';

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

/** As much of the file as there is room for. @returns how many bytes @throws as {@link openRegular} */
export function readRegularInto(file: string, room: Uint8Array): number {
  const descriptor = openRegularSync(file);
  try {
    return readFully(descriptor, room);
  } finally {
    closeSync(descriptor);
  }
}

/** Reads on until there is no more room, or the file ends. @returns how many bytes */
export function readFully(descriptor: number, room: Uint8Array): number {
  let size = 0;
  for (let read = -1; read !== 0; size += read)
    read = readSync(descriptor, room, size, room.length - size, null);
  return size;
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

/** What a byte that is not UTF-8 becomes in a name. */
const replacement = '\ufffd';

/**
 * Refuses a name that is not UTF-8: Node reads it with replacement characters, and no file is found under that name.
 *
 * Such names come from archives made on other systems. Reading them as bytes would not help: paths in records, in the store's lists, in
 * messages to stages and in JSON are text.
 *
 * @param name an entry of the folder, as text
 * @throws {ReproError} `file-name`, with the bytes
 */
export function refuseUnreadableName(folder: string, name: string): void {
  if (!name.includes(replacement)) return;
  if (lstatSync(path.join(folder, name), { throwIfNoEntry: false }) !== undefined) return;
  const bytes = readdirSync(folder, { encoding: 'buffer' }).find((one) => one.toString() === name);
  const shown = bytes === undefined ? name : escapeBytes(bytes);
  throw new ReproError('file-name', 'this file name is not valid UTF-8', {
    where: `${folder}${path.sep}${shown}`,
    fix: `Rename it; in bash: mv ${quoteWords([folder])}/$'${shown}' ${quoteWords([folder])}/NEW-NAME`,
  });
}

/** `caf\\xe9.txt`, as bash reads it within `$'…'`. A control character would act on the terminal. */
function escapeBytes(bytes: Buffer): string {
  const toHex = (one: string): string => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return bytes.toString('latin1').replace(/[^ -~]|['\\]/g, toHex);
}
