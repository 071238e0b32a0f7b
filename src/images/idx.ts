import { constants, gunzipSync } from 'node:zlib';
import { hasErrorCode, ReproError } from '../errors.ts';

/** The numbers of an IDX file of unsigned bytes. */
export interface IdxArray {
  /** MNIST: [N, 28, 28] for images, [N] for labels. */
  readonly shape: readonly number[];
  /** C order: the last index changes fastest. May share the memory of the bytes it was read from. */
  readonly data: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;
const TYPES: Readonly<Record<number, string>> = {
  8: 'unsigned bytes',
  9: 'signed bytes',
  11: '16-bit integers',
  12: '32-bit integers',
  13: '32-bit floats',
  14: '64-bit floats',
};
/** Deflate cannot do better than about 1032 : 1, so a larger claim is false before anything is unpacked. */
const LARGEST_RATIO = 1032;
/** Enough of a gzip file for its own header, with a name, and the first 1024 bytes of an IDX file. */
const GZIP_START_BYTES = 4096;
const DAMAGED = 'The file is cut off or damaged: download it again.';

/**
 * Reads an IDX file, the format of MNIST and FashionMNIST, gzip-compressed or not: 0, 0, type, number of dimensions,
 * the dimensions (u32, big-endian), the numbers. The size follows from the dimensions and must be exact.
 *
 * @param file name for messages
 * @throws {ReproError} `idx-header` for anything but an IDX file of unsigned bytes; `idx-size` if numbers are missing or
 *   something follows them; `idx-gzip` if it cannot be unpacked; each with file and byte (of the unpacked file)
 * @see http://yann.lecun.com/exdb/mnist/; docs/formats.md
 */
export function decodeIdx(bytes: Uint8Array, file: string): IdxArray {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return decodeGzip(bytes, file);
  const { shape, headerBytes, sizeBytes } = readHeader(bytes, file);
  if (bytes.length !== sizeBytes) failSize(file, shape, sizeBytes, bytes.length);
  return { shape, data: bytes.subarray(headerBytes) };
}

function decodeGzip(bytes: Uint8Array, file: string): IdxArray {
  const start = unpack(bytes.subarray(0, GZIP_START_BYTES), file, constants.Z_SYNC_FLUSH, undefined);
  const { shape, headerBytes, sizeBytes } = readHeader(start.bytes, file);
  if (sizeBytes > bytes.length * LARGEST_RATIO) {
    failSize(file, shape, sizeBytes, null, `${bytes.length} compressed bytes cannot hold that much`);
  }
  const { bytes: unpacked, used } = unpack(bytes, file, constants.Z_FINISH, sizeBytes);
  if (unpacked.length !== sizeBytes) failSize(file, shape, sizeBytes, unpacked.length);
  if (used !== bytes.length) {
    throw new ReproError('idx-gzip', `${bytes.length - used} bytes follow the compressed data.`, {
      where: `${file}: byte ${used} of the compressed file`,
      fix: 'Something was appended to it, or it is damaged: download it again.',
    });
  }
  return { shape, data: unpacked.subarray(headerBytes) };
}

function readHeader(
  bytes: Uint8Array,
  file: string,
): { readonly shape: number[]; readonly headerBytes: number; readonly sizeBytes: number } {
  if (bytes.length === 0) failHeader(file, 0, 'the file is empty', 'Download it again.');
  if (bytes.length < 4) failHeader(file, bytes.length, 'the file ends within its header', DAMAGED);
  const [zero, alsoZero, type, dimensions] = [bytes[0]!, bytes[1]!, bytes[2]!, bytes[3]!];
  if (zero !== 0 || alsoZero !== 0) {
    const found = Buffer.from(bytes.subarray(0, 4))
      .toString('hex')
      .replace(/(..)(?=.)/g, '$1 ');
    failHeader(
      file,
      0,
      `this is not an IDX file: it starts with ${found}, not with 00 00`,
      'Download it again.',
    );
  }
  if (type !== UNSIGNED_BYTE) {
    const name = TYPES[type];
    failHeader(
      file,
      2,
      name === undefined
        ? `0x${type.toString(16).padStart(2, '0')} is no type of numbers`
        : `the numbers are ${name} (0x${type.toString(16).padStart(2, '0')}), not unsigned bytes (0x08)`,
      name === undefined ? DAMAGED : 'MNIST and FashionMNIST have unsigned bytes: use one of their files.',
    );
  }
  const headerBytes = 4 + 4 * dimensions;
  if (dimensions === 0) failHeader(file, 3, 'the number of dimensions is 0', DAMAGED);
  if (bytes.length < headerBytes) failHeader(file, bytes.length, 'the file ends within its header', DAMAGED);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const sizeBytes = shape.reduce((product, size) => product * size, 1) + headerBytes;
  if (!Number.isSafeInteger(sizeBytes))
    failHeader(file, 4, `${shape.join(' x ')} is impossibly large`, DAMAGED);
  return { shape, headerBytes, sizeBytes };
}

function unpack(
  bytes: Uint8Array,
  file: string,
  finishFlush: number,
  maxOutputLength: number | undefined,
): { readonly bytes: Uint8Array; readonly used: number } {
  try {
    // With `info`, the result also has the stream, which knows how much of its input it used.
    const result: unknown = gunzipSync(bytes, {
      finishFlush,
      info: true,
      ...(maxOutputLength === undefined ? {} : { maxOutputLength }),
    });
    return readInfo(result);
  } catch (error) {
    const tooLong = hasErrorCode(error, 'ERR_BUFFER_TOO_LARGE');
    throw new ReproError(
      tooLong ? 'idx-size' : 'idx-gzip',
      tooLong
        ? `more follows the ${maxOutputLength} bytes that its dimensions ask for.`
        : `it cannot be unpacked: ${error instanceof Error ? error.message : String(error)}.`,
      { where: file, fix: DAMAGED, cause: error },
    );
  }
}

function readInfo(result: unknown): { readonly bytes: Uint8Array; readonly used: number } {
  if (typeof result === 'object' && result !== null && 'buffer' in result && 'engine' in result) {
    const { buffer, engine } = result;
    if (
      buffer instanceof Uint8Array &&
      typeof engine === 'object' &&
      engine !== null &&
      'bytesWritten' in engine &&
      typeof engine.bytesWritten === 'number'
    ) {
      return { bytes: buffer, used: engine.bytesWritten };
    }
  }
  throw new TypeError('zlib did not return its result and its stream');
}

function failHeader(file: string, byte: number, what: string, fix: string): never {
  throw new ReproError('idx-header', `${what}.`, { where: `${file}: byte ${byte}`, fix });
}

function failSize(
  file: string,
  shape: readonly number[],
  sizeBytes: number,
  found: number | null,
  instead = `there are ${found?.toLocaleString('en-US')}`,
): never {
  throw new ReproError(
    'idx-size',
    `${shape.join(' x ')} numbers and their header are ${sizeBytes.toLocaleString('en-US')} bytes, but ${instead}.`,
    { where: file, fix: DAMAGED },
  );
}
