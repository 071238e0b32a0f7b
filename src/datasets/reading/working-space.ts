import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { openRegularSync } from '../../files/regular-file.ts';
import type { TreeFile } from './file-tree.ts';

/** What reads a file the first time: one kind of call or the other for all of it. */
export interface FirstReader {
  /** Takes the next bytes. */
  push(chunk: Uint8Array): void;
  /** Takes what is in memory, of which there are `length` bytes so far. */
  read(memory: Uint8Array, length: number): void;
  /** How many bytes to put before the file in memory, told from its first 16 KiB. */
  phaseOf(start: Uint8Array): number;
}

/** A file that can be read a second time. */
interface KeptFile {
  /** The bytes `from <= offset < to`: at once if they are in memory, otherwise in pieces that are valid one at a time. */
  again(from: number, to: number): Uint8Array | Iterable<Uint8Array>;
  close(): Promise<void>;
}

/** Bytes per read: large enough for the system, small enough to be still in the processor's cache when they are looked at. */
const PIECE_BYTES = 1 << 19;
const START_BYTES = 1 << 14;
/** The most that `phaseOf` may ask for. */
const MOST_PHASE = 8;
const DEFAULT_MEMORY_BYTES = 48 << 20;

/**
 * Keeps files between two readings in bounded memory: in one piece of memory, used again for
 * each file; if a file is larger, on the disk, where it is anyway or, out of an archive, in a temporary file. One file at a time.
 */
export class WorkingSpace {
  readonly #mostBytes: number;
  readonly #folder: string;
  #memory: Uint8Array = new Uint8Array(0);

  /** @param folder for temporary files */
  constructor(mostBytes = DEFAULT_MEMORY_BYTES, folder = tmpdir()) {
    this.#mostBytes = mostBytes;
    this.#folder = folder;
  }

  /** Reads a file to its end and keeps it. Aborts with the signal's reason. */
  async keep(file: TreeFile, reader: FirstReader, signal: AbortSignal | undefined): Promise<KeptFile> {
    const fits = file.sizeBytes <= this.#mostBytes;
    if (file.diskPath === undefined) {
      return fits ? await this.#keepStream(file, reader, signal) : await this.#spool(file, reader, signal);
    }
    const descriptor = openRegularSync(file.diskPath);
    const close = async () => closeSync(descriptor);
    try {
      if (fits) return { again: this.#readWhole(descriptor, file.sizeBytes, reader), close };
      await pushAll(descriptor, file.sizeBytes, reader, signal);
      return { again: (from, to) => readPieces(descriptor, from, to), close };
    } catch (error) {
      await close();
      throw error;
    }
  }

  /** Into memory, each piece being looked at while it is in the processor's cache. */
  #readWhole(descriptor: number, sizeBytes: number, reader: FirstReader): KeptFile['again'] {
    const memory = this.#takeMemory(sizeBytes + MOST_PHASE);
    let length = readAt(descriptor, memory, 0, Math.min(START_BYTES, sizeBytes), 0);
    const phase = reader.phaseOf(memory.subarray(0, length));
    memory.copyWithin(phase, 0, length);
    const whole = memory.subarray(phase, phase + sizeBytes);
    while (length < sizeBytes) {
      const read = readAt(descriptor, whole, length, Math.min(PIECE_BYTES, sizeBytes - length), length);
      if (read === 0) break;
      length += read;
      reader.read(whole, length);
    }
    if (length <= START_BYTES) reader.read(whole, length);
    return (from, to) => whole.subarray(from, Math.min(to, length));
  }

  async #keepStream(file: TreeFile, reader: FirstReader, signal: AbortSignal | undefined): Promise<KeptFile> {
    const memory = this.#takeMemory(file.sizeBytes);
    let length = 0;
    for await (const chunk of file.open()) {
      signal?.throwIfAborted();
      memory.set(chunk, length);
      length += chunk.length;
      reader.push(chunk);
    }
    return { again: (from, to) => memory.subarray(from, to), close: async () => {} };
  }

  async #spool(file: TreeFile, reader: FirstReader, signal: AbortSignal | undefined): Promise<KeptFile> {
    const folder = await mkdtemp(path.join(this.#folder, 'recording-'));
    const descriptor = openSync(path.join(folder, 'unpacked'), 'w+');
    const close = async () => {
      closeSync(descriptor);
      await rm(folder, { recursive: true, force: true });
    };
    try {
      for await (const chunk of file.open()) {
        signal?.throwIfAborted();
        for (let done = 0; done < chunk.length; ) done += writeSync(descriptor, chunk, done);
        reader.push(chunk);
      }
      return { again: (from, to) => readPieces(descriptor, from, to), close };
    } catch (error) {
      await close();
      throw error;
    }
  }

  #takeMemory(bytes: number): Uint8Array {
    if (this.#memory.length < bytes) this.#memory = new Uint8Array(bytes);
    return this.#memory;
  }
}

async function pushAll(
  descriptor: number,
  sizeBytes: number,
  reader: FirstReader,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const piece of readPieces(descriptor, 0, sizeBytes)) {
    // Lets the signal through.
    await setImmediate();
    signal?.throwIfAborted();
    reader.push(piece);
  }
}

/** Pieces that are valid one at a time. */
function* readPieces(descriptor: number, from: number, to: number): Generator<Uint8Array> {
  const piece = new Uint8Array(PIECE_BYTES);
  for (let at = from; at < to; ) {
    const length = readAt(descriptor, piece, 0, Math.min(PIECE_BYTES, to - at), at);
    if (length === 0) return;
    yield piece.subarray(0, length);
    at += length;
  }
}

/** Fills `length` bytes of memory from the file's `position` on, fewer only at its end. */
function readAt(
  descriptor: number,
  memory: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  let done = 0;
  while (done < length) {
    const read = readSync(descriptor, memory, offset + done, length - done, position + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}
