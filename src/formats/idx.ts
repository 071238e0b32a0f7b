import { canHold, inflateStart, inflateWhole } from '../compression/inflate.ts';
import { ReproError } from '../errors.ts';

interface IdxArray {
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
/** The longest header: 255 dimensions. */
const MOST_HEADER_BYTES = 4 + 4 * 255;
/** Enough of a gzip file for its own header, with a name, and that of an IDX file. */
const GZIP_START_BYTES = 4096;
const DAMAGED = 'The file is cut off or damaged: download it again.';
const OTHER = 'This is another file, or a damaged one: download it again.';

/**
 * Reads an IDX file, the format of MNIST and FashionMNIST, gzip-compressed or not: 0, 0, type, number of dimensions,
 * the dimensions (u32, big-endian), the numbers. The size follows from the dimensions and must be exact.
 *
 * @param file name for messages
 * @param limitBytes most bytes of the unpacked file; a larger claim is refused before anything but the header is unpacked
 * @throws {ReproError} `idx-header` for anything but an IDX file of unsigned bytes; `idx-size` if numbers are missing or
 *   something follows them, or beyond `limitBytes`; `idx-gzip` if it cannot be unpacked; each with file and byte (of the
 *   unpacked file)
 * @see http://yann.lecun.com/exdb/mnist/; docs/formats.md
 */
export function decodeIdx(bytes: Uint8Array, file: string, limitBytes = Number.POSITIVE_INFINITY): IdxArray {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return decodeGzip(bytes, file, limitBytes);
  const { shape, headerBytes, sizeBytes } = readHeader(bytes, file, limitBytes);
  if (bytes.length !== sizeBytes) failSize(file, shape, sizeBytes, thereAre(bytes.length));
  return { shape, data: bytes.subarray(headerBytes) };
}

function decodeGzip(bytes: Uint8Array, file: string, limitBytes: number): IdxArray {
  const start = explain(file, () => inflateStart(bytes, 'gzip', MOST_HEADER_BYTES, GZIP_START_BYTES));
  const { shape, headerBytes, sizeBytes } = readHeader(start, file, limitBytes);
  if (!canHold(bytes.length, sizeBytes)) {
    failSize(file, shape, sizeBytes, `but ${bytes.length} compressed bytes cannot hold that much`);
  }
  const inflated = explain(file, () => inflateWhole(bytes, 'gzip', sizeBytes));
  if (inflated === 'too long') failSize(file, shape, sizeBytes, 'but more follows');
  const { bytes: unpacked, used } = inflated;
  if (unpacked.length !== sizeBytes) failSize(file, shape, sizeBytes, thereAre(unpacked.length));
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
  limitBytes: number,
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
        ? `0x${type.toString(16).padStart(2, '0')} is not a number type`
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
  if (sizeBytes > limitBytes) {
    failSize(file, shape, sizeBytes, `but at most ${limitBytes.toLocaleString('en-US')} are read`, OTHER);
  }
  return { shape, headerBytes, sizeBytes };
}

function explain<T>(file: string, unpack: () => T): T {
  try {
    return unpack();
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new ReproError('idx-gzip', `it cannot be unpacked: ${what}.`, {
      where: file,
      fix: DAMAGED,
      cause: error,
    });
  }
}

function thereAre(bytes: number): string {
  return `but there are ${bytes.toLocaleString('en-US')}`;
}

function failHeader(file: string, byte: number, what: string, fix: string): never {
  throw new ReproError('idx-header', `${what}.`, { where: `${file}: byte ${byte}`, fix });
}

function failSize(
  file: string,
  shape: readonly number[],
  sizeBytes: number,
  butWhat: string,
  fix = DAMAGED,
): never {
  throw new ReproError(
    'idx-size',
    `${shape.join(' x ')} numbers and their header are ${sizeBytes.toLocaleString('en-US')} bytes, ${butWhat}.`,
    { where: file, fix },
  );
}
