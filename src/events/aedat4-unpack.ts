import { ReproError } from '../errors.ts';
import type { Aedat4Compression } from './aedat4-header.ts';
import { type Aedat4Place, failAedat4 } from './aedat4-table.ts';

type Unpack = (bytes: Uint8Array, place: Aedat4Place) => Uint8Array;

/**
 * Cameras write a packet every few ms, far below 1 MB; this is 16 million events. It bounds the memory for one packet,
 * whatever its compressed bytes claim.
 */
const LARGEST_PACKET_BYTES = 2 ** 28;

/**
 * Loads the library for a compression only when a file needs it.
 *
 * @throws {ReproError} `aedat4-library` if it cannot be loaded on this system
 */
export async function loadUnpack(compression: Aedat4Compression): Promise<Unpack> {
  if (compression === 'none') return (bytes) => bytes;
  if (compression === 'lz4') {
    const { decompressFrameSync } = await load('LZ4', () => import('lz4-napi'));
    return (bytes, place) =>
      unpackFrame(measureLz4(bytes, place), place, () =>
        decompressFrameSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)),
      );
  }
  const decoder = await load('Zstandard', async () => {
    const { ZSTDDecoder } = await import('zstddec');
    const made = new ZSTDDecoder();
    await made.init();
    return made;
  });
  // The decoder gives nothing where its input is damaged.
  return (bytes, place) =>
    unpackFrame(measureZstd(bytes, place), place, (mostBytes) => decoder.decode(bytes, mostBytes));
}

/** LZ4 is compiled for the usual systems; on another, or after `npm ci --omit=optional`, it is not there. */
async function load<T>(name: string, doLoad: () => Promise<T>): Promise<T> {
  try {
    return await doLoad();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ReproError('aedat4-library', `the library that unpacks ${name} cannot be loaded: ${reason}.`, {
      fix: 'Run `npm ci` again. If it still cannot be loaded, save the recording with another compression in DV.',
      cause: error,
    });
  }
}

function unpackFrame(
  { mostBytes, exactBytes }: FrameSize,
  place: Aedat4Place,
  unpack: (mostBytes: number) => Uint8Array,
): Uint8Array {
  const claimed = exactBytes ?? mostBytes;
  if (claimed > LARGEST_PACKET_BYTES) {
    const text = `the packet may unpack to ${claimed} bytes; at most ${LARGEST_PACKET_BYTES} are read`;
    failAedat4('aedat4-size', place, text, 'No camera writes such a packet: the file is damaged.');
  }
  const fail = (what: string, cause?: unknown): never =>
    failAedat4('aedat4-compression', place, `the packet cannot be unpacked: ${what}`, undefined, cause);
  let bytes: Uint8Array;
  try {
    bytes = unpack(claimed);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), error);
  }
  if (bytes.length === 0) fail('its data are damaged');
  if (exactBytes !== null && bytes.length !== exactBytes)
    fail(`${bytes.length} bytes instead of ${exactBytes}`);
  return bytes;
}

/** The most that a compressed frame can unpack to, and its exact size if the frame tells it. */
interface FrameSize {
  readonly mostBytes: number;
  readonly exactBytes: number | null;
}

const LZ4_MAGIC = 0x184d2204;
const LZ4_UNCOMPRESSED = 0x8000_0000;
/** A byte of an LZ4 block stands for at most 255. */
const LZ4_RATIO = 255;
const ZSTD_MAGIC = 0xfd2fb528;
const ZSTD_BLOCK_BYTES = 2 ** 17;

/**
 * Walks the blocks of an LZ4 frame without unpacking them. The frame must fill the packet.
 *
 * @see "LZ4 Frame Format Description", version 1.6
 */
function measureLz4(bytes: Uint8Array, place: Aedat4Place): FrameSize {
  const walk = new Walk(bytes, 'LZ4', place);
  if (walk.take(4) !== LZ4_MAGIC) walk.fail('it does not start like an LZ4 frame');
  const flags = walk.take(1);
  if (flags >>> 6 !== 1) walk.fail(`version ${flags >>> 6} of LZ4 frames is unknown`);
  const blockCode = (walk.take(1) >>> 4) & 7;
  if (blockCode < 4) walk.fail(`${blockCode} is not a block size`);
  const blockBytes = 2 ** (8 + 2 * blockCode);
  const exactBytes = flags & 8 ? walk.take(8) : null;
  // A dictionary's number, and a checksum of this header.
  walk.skip((flags & 1 ? 4 : 0) + 1);
  let mostBytes = 0;
  for (;;) {
    const word = walk.take(4);
    if (word === 0) break;
    const size = word % LZ4_UNCOMPRESSED;
    if (size > blockBytes) walk.fail(`a block of ${size} bytes is larger than the frame's ${blockBytes}`);
    mostBytes += word >= LZ4_UNCOMPRESSED ? size : Math.min(blockBytes, size * LZ4_RATIO);
    walk.skip(size + (flags & 16 ? 4 : 0));
  }
  walk.skip(flags & 4 ? 4 : 0);
  return walk.finish(mostBytes, exactBytes);
}

/**
 * Walks the blocks of a Zstandard frame without unpacking them. The frame must fill the packet.
 *
 * @see RFC 8878, section 3.1.1
 */
function measureZstd(bytes: Uint8Array, place: Aedat4Place): FrameSize {
  const walk = new Walk(bytes, 'Zstandard', place);
  if (walk.take(4) !== ZSTD_MAGIC) walk.fail('it does not start like a Zstandard frame');
  const flags = walk.take(1);
  const isSingle = (flags & 32) !== 0;
  if (!isSingle) walk.skip(1);
  walk.skip([0, 1, 2, 4][flags & 3] ?? 0);
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][flags >>> 6] ?? 0;
  const exactBytes = sizeBytes === 0 ? null : walk.take(sizeBytes) + (sizeBytes === 2 ? 256 : 0);
  let mostBytes = 0;
  for (;;) {
    const word = walk.take(3);
    const size = word >>> 3;
    const kind = (word >>> 1) & 3;
    if (kind === 3) walk.fail('a block is of a kind that is not used');
    // Kept as it is; one byte repeated; compressed.
    mostBytes += kind === 2 ? ZSTD_BLOCK_BYTES : size;
    walk.skip(kind === 1 ? 1 : size);
    if (word & 1) break;
  }
  walk.skip(flags & 4 ? 4 : 0);
  return walk.finish(mostBytes, exactBytes);
}

/** A position in a packet that cannot leave it. */
class Walk {
  readonly #bytes: Uint8Array;
  readonly #format: string;
  readonly #place: Aedat4Place;
  #at = 0;

  constructor(bytes: Uint8Array, format: string, place: Aedat4Place) {
    this.#bytes = bytes;
    this.#format = format;
    this.#place = place;
  }

  /** A little-endian number; inexact beyond 2^53, where it is too large anyway. */
  take(sizeBytes: number): number {
    const at = this.#at;
    this.skip(sizeBytes);
    let value = 0;
    for (let i = sizeBytes - 1; i >= 0; i--) value = value * 256 + this.#bytes[at + i]!;
    return value;
  }

  skip(sizeBytes: number): void {
    this.#at += sizeBytes;
    if (this.#at > this.#bytes.length) this.fail(`it ends after ${this.#bytes.length} bytes, within a frame`);
  }

  finish(mostBytes: number, exactBytes: number | null): FrameSize {
    if (this.#at < this.#bytes.length) this.fail(`${this.#bytes.length - this.#at} bytes follow the frame`);
    if (exactBytes !== null && exactBytes > mostBytes) {
      this.fail(`it claims ${exactBytes} bytes, but can hold at most ${mostBytes}`);
    }
    return { mostBytes, exactBytes };
  }

  fail(what: string): never {
    failAedat4('aedat4-compression', this.#place, `the packet is not a valid ${this.#format} frame: ${what}`);
  }
}
