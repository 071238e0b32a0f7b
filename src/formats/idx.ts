import { gunzipSync } from 'node:zlib';
import { hasErrorCode, messageOf, ReproError } from '../base/errors.ts';

interface IdxArray {
  /** MNIST: [N, 28, 28] for images, [N] for labels. */
  readonly shape: readonly number[];
  /** C order: the last index changes fastest. May share the memory of the bytes it was read from. */
  readonly data: Uint8Array;
  /** The whole file, unpacked. */
  readonly unpacked: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;
const DAMAGED = 'The file is cut off or damaged: download it again.';
const OTHER = 'This is another file, or a damaged one: download it again.';

/**
 * Reads an IDX file, the format of MNIST and FashionMNIST, gzip-compressed or not: 0, 0, type, number of dimensions,
 * the dimensions (u32, big-endian), the numbers. The size follows from the dimensions and must be exact.
 *
 * @param file name for messages
 * @param limitBytes most bytes of the unpacked file
 * @throws {ReproError} `idx-header` for anything but an IDX file of unsigned bytes; `idx-size` if numbers are missing or
 *   something follows them, or beyond `limitBytes`; `idx-gzip` if it cannot be unpacked
 * @see http://yann.lecun.com/exdb/mnist/
 */
export function decodeIdx(bytes: Uint8Array, file: string, limitBytes: number): IdxArray {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const unpacked = isGzip ? unpack(bytes, file, limitBytes) : bytes;
  const { shape, headerBytes } = readHeader(unpacked, file);
  const sizeBytes = shape.reduce((product, size) => product * size, 1) + headerBytes;
  if (unpacked.length !== sizeBytes) {
    const claimed = `${shape.join(' x ')} numbers and their header are ${sizeBytes.toLocaleString('en-US')} bytes`;
    const text = `${claimed}, but there are ${unpacked.length.toLocaleString('en-US')}.`;
    throw new ReproError('idx-size', text, { where: file, fix: DAMAGED });
  }
  return { shape, data: unpacked.subarray(headerBytes), unpacked };
}

function unpack(bytes: Uint8Array, file: string, limitBytes: number): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: limitBytes });
  } catch (error) {
    if (hasErrorCode(error, 'ERR_BUFFER_TOO_LARGE')) {
      const text = `it unpacks to more than ${limitBytes.toLocaleString('en-US')} bytes.`;
      throw new ReproError('idx-size', text, { where: file, fix: OTHER });
    }
    const details = { where: file, fix: DAMAGED, cause: error };
    throw new ReproError('idx-gzip', `it cannot be unpacked: ${messageOf(error)}.`, details);
  }
}

function readHeader(bytes: Uint8Array, file: string): { shape: number[]; headerBytes: number } {
  if (bytes.length === 0) failHeader(file, 0, 'the file is empty', 'Download it again.');
  if (bytes.length < 4) failHeader(file, bytes.length, 'the file ends within its header', DAMAGED);
  const [zero, alsoZero, type, dimensions] = [bytes[0]!, bytes[1]!, bytes[2]!, bytes[3]!];
  if (zero !== 0 || alsoZero !== 0) {
    const found = Buffer.from(bytes.subarray(0, 4)).toString('hex').match(/../g)?.join(' ');
    const what = `this is not an IDX file: it starts with ${found}, not with 00 00`;
    failHeader(file, 0, what, 'Download it again.');
  }
  if (type !== UNSIGNED_BYTE) {
    const shown = `0x${type.toString(16).padStart(2, '0')}`;
    failHeader(file, 2, `the numbers have type ${shown}, not 0x08 (unsigned bytes)`, OTHER);
  }
  const headerBytes = 4 + 4 * dimensions;
  if (dimensions === 0) failHeader(file, 3, 'the number of dimensions is 0', DAMAGED);
  if (bytes.length < headerBytes) failHeader(file, bytes.length, 'the file ends within its header', DAMAGED);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  return { shape, headerBytes };
}

function failHeader(file: string, byte: number, what: string, fix: string): never {
  throw new ReproError('idx-header', `${what}.`, { where: `${file}: byte ${byte}`, fix });
}
