import { inflateSync } from 'node:zlib';
import { hasErrorCode, ReproError } from '../errors.ts';
import { formatCount, listSome, shortenText } from '../text.ts';

/** A numeric array of a .mat file. */
export interface MatArray {
  /** At least two dimensions: a list is [N, 1] or [1, N]. */
  readonly shape: readonly number[];
  /** In the file's order: the first index changes fastest. A 64-bit integer beyond 2^53 is rounded. */
  readonly data: Float64Array;
}

/** Bytes of a .mat file or of one uncompressed variable, and where they are, for messages. */
interface MatBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly littleEndian: boolean;
  readonly file: string;
  /** Byte of the compressed variable in the file; undefined for the file itself. */
  readonly compressedAt?: number | undefined;
}

/** One data element: its type, and where its data are. */
interface MatElement {
  readonly type: number;
  /** Of the tag. */
  readonly at: number;
  readonly start: number;
  readonly sizeBytes: number;
  /** Of the next element: data are padded to 8 bytes, except compressed ones. */
  readonly next: number;
}

/** What precedes an array's numbers. */
interface MatHeader {
  readonly name: string;
  readonly arrayClass: number;
  readonly isComplex: boolean;
  readonly shape: readonly number[];
  /** Of the element with the numbers. */
  readonly next: number;
}

/** Types of elements besides numbers. */
const [INT8, INT32, UINT32, MATRIX, COMPRESSED, UTF8] = [1, 5, 6, 14, 15, 16];
/** A type of numbers: its number in the file as that of stored data and as an array's class, and which values the class holds. */
interface NumberType {
  readonly stored: number;
  readonly arrayClass: number;
  readonly bytes: number;
  readonly read: (view: DataView, at: number, littleEndian: boolean) => number | bigint;
  readonly holds: (value: number) => boolean;
}

const whole = (least: number, most: number) => (value: number) =>
  Number.isInteger(value) && value >= least && value <= most;
const isSingle = (value: number) => Object.is(Math.fround(value), value);
const NUMBER_TYPES: readonly NumberType[] = [
  { stored: 1, arrayClass: 8, bytes: 1, read: (v, at) => v.getInt8(at), holds: whole(-128, 127) },
  { stored: 2, arrayClass: 9, bytes: 1, read: (v, at) => v.getUint8(at), holds: whole(0, 255) },
  {
    stored: 3,
    arrayClass: 10,
    bytes: 2,
    read: (v, at, le) => v.getInt16(at, le),
    holds: whole(-(2 ** 15), 2 ** 15 - 1),
  },
  {
    stored: 4,
    arrayClass: 11,
    bytes: 2,
    read: (v, at, le) => v.getUint16(at, le),
    holds: whole(0, 2 ** 16 - 1),
  },
  {
    stored: 5,
    arrayClass: 12,
    bytes: 4,
    read: (v, at, le) => v.getInt32(at, le),
    holds: whole(-(2 ** 31), 2 ** 31 - 1),
  },
  {
    stored: 6,
    arrayClass: 13,
    bytes: 4,
    read: (v, at, le) => v.getUint32(at, le),
    holds: whole(0, 2 ** 32 - 1),
  },
  { stored: 7, arrayClass: 7, bytes: 4, read: (v, at, le) => v.getFloat32(at, le), holds: isSingle },
  { stored: 9, arrayClass: 6, bytes: 8, read: (v, at, le) => v.getFloat64(at, le), holds: () => true },
  {
    stored: 12,
    arrayClass: 14,
    bytes: 8,
    read: (v, at, le) => v.getBigInt64(at, le),
    holds: whole(-(2 ** 63), 2 ** 63),
  },
  {
    stored: 13,
    arrayClass: 15,
    bytes: 8,
    read: (v, at, le) => v.getBigUint64(at, le),
    holds: whole(0, 2 ** 64),
  },
];
const OPAQUE = 17;
const COMPLEX_FLAG = 0x0800;
const HEADER_BYTES = 128;
const TAG_BYTES = 8;
/** In a message. */
const MOST_SHOWN_NAMES = 10;
const MOST_SHOWN_LETTERS = 64;
const DAMAGED = 'The file is cut off or damaged: download it again.';

/**
 * Reads numeric arrays of a MATLAB 5 file (`save` with `-v6` or `-v7`): double, single, and all integers, also logical
 * arrays as 0 and 1. Both byte orders, compressed or not. Everything else (cell, struct, text, sparse, complex) is skipped,
 * or an error if it is wanted.
 *
 * @param file name for messages
 * @param limitBytes most bytes that the variables may take together, unpacked
 * @returns the arrays by name; the last one counts where a name occurs twice, as in MATLAB
 * @throws {ReproError} `mat5-header` for another kind of file (4 and 7.3 are named), `mat5-element` for damage,
 *   `mat5-truncated`, `mat5-size` beyond `limitBytes`, `mat5-variable` for a wanted array that is missing or not numeric
 * @see "MAT-File Format", The MathWorks, chapter 1; docs/formats.md
 */
export function readMat5(
  bytes: Uint8Array,
  file: string,
  wanted: readonly string[],
  limitBytes: number,
): Map<string, MatArray> {
  const littleEndian = readByteOrder(bytes, file);
  const source = openBytes(bytes, littleEndian, file);
  const arrays = new Map<string, MatArray>();
  const names: string[] = [];
  let leftBytes = limitBytes;
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const outer = readElement(source, at, bytes.length);
    at = outer.next;
    const inner = outer.type === COMPRESSED ? inflate(source, outer, leftBytes) : source;
    const matrix = inner === source ? outer : readElement(inner, 0, inner.bytes.length);
    if (matrix.type !== MATRIX) {
      failElement(inner, matrix.at, `an element of type ${matrix.type} is not a variable`);
    }
    if (inner !== source && matrix.next !== inner.bytes.length) {
      failElement(inner, matrix.next, 'the compressed variable is longer than it claims');
    }
    const header = readHeader(inner, matrix);
    if (header.name !== '') names.push(header.name);
    leftBytes -= inner === source ? 0 : inner.bytes.length;
    if (!wanted.includes(header.name)) continue;
    arrays.set(header.name, readArray(inner, matrix, header));
  }
  for (const name of wanted) {
    if (arrays.has(name)) continue;
    const quoted = names.map((other) => JSON.stringify(shortenText(other, MOST_SHOWN_LETTERS)));
    const list = names.length === 0 ? 'no variables' : listSome(quoted, MOST_SHOWN_NAMES);
    failVariable(
      source,
      HEADER_BYTES,
      name,
      `is missing; the file contains ${list}`,
      'Use the published file.',
    );
  }
  return arrays;
}

function openBytes(bytes: Uint8Array, littleEndian: boolean, file: string, compressedAt?: number): MatBytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, view, littleEndian, file, compressedAt };
}

/** All of a compressed variable, up to `mostBytes`. */
function inflate(source: MatBytes, { at, start, sizeBytes }: MatElement, mostBytes: number): MatBytes {
  const packed = source.bytes.subarray(start, start + sizeBytes);
  try {
    const bytes = inflateSync(packed, { maxOutputLength: Math.max(1, mostBytes) });
    return openBytes(bytes, source.littleEndian, source.file, at);
  } catch (error) {
    if (hasErrorCode(error, 'ERR_BUFFER_TOO_LARGE')) {
      const most = formatCount(mostBytes, 'byte');
      throw new ReproError('mat5-size', `the variable is larger than the ${most} that are still read.`, {
        where: describePlace(source, at),
        fix: 'The file is damaged, or not the kind of recording that is read here.',
      });
    }
    const what = error instanceof Error ? error.message : String(error);
    return failElement(source, at, `the compressed variable cannot be unpacked: ${what}`);
  }
}

/**
 * Reads the tag at `at`: type and size as two u32, or for at most 4 bytes of data both in one u32, its upper half the size.
 *
 * @param end the element must lie before this byte; padding that would reach beyond it may be missing
 */
function readElement(source: MatBytes, at: number, end: number): MatElement {
  const there = Math.max(0, end - at);
  if (there < TAG_BYTES) failTruncated(source, at, TAG_BYTES, there);
  const first = source.view.getUint32(at, source.littleEndian);
  const smallBytes = first >>> 16;
  if (smallBytes > 4) failElement(source, at, `a small element has at most 4 bytes, not ${smallBytes}`);
  if (smallBytes > 0) {
    return { type: first & 0xffff, at, start: at + 4, sizeBytes: smallBytes, next: at + TAG_BYTES };
  }
  const sizeBytes = source.view.getUint32(at + 4, source.littleEndian);
  const start = at + TAG_BYTES;
  if (sizeBytes > end - start) failTruncated(source, at, TAG_BYTES + sizeBytes, there);
  const paddedBytes = first === COMPRESSED ? sizeBytes : Math.ceil(sizeBytes / 8) * 8;
  return { type: first, at, start, sizeBytes, next: Math.min(end, start + paddedBytes) };
}

/** Flags, shape and name; the numbers are the element after them. */
function readHeader(source: MatBytes, matrix: MatElement): MatHeader {
  const end = matrix.start + matrix.sizeBytes;
  const flags = readElement(source, matrix.start, end);
  if (flags.type !== UINT32 || flags.sizeBytes !== 8) {
    failElement(source, matrix.at, 'the variable does not start with its flags');
  }
  const word = source.view.getUint32(flags.start, source.littleEndian);
  const arrayClass = word & 0xff;
  // These have no shape, and their name is in another place.
  if (arrayClass === OPAQUE) return { name: '', arrayClass, isComplex: false, shape: [], next: end };
  const dimensions = readElement(source, flags.next, end);
  // Some programs other than MATLAB write the shape without a sign, or the name as UTF-8.
  const isShape = dimensions.type === INT32 || dimensions.type === UINT32;
  if (!isShape || dimensions.sizeBytes % 4 !== 0 || dimensions.sizeBytes < 8) {
    failElement(source, dimensions.at, "the variable's shape is not where it should be");
  }
  const shape = Array.from({ length: dimensions.sizeBytes / 4 }, (_, i) =>
    source.view.getInt32(dimensions.start + 4 * i, source.littleEndian),
  );
  const name = readElement(source, dimensions.next, end);
  if (name.type !== INT8 && name.type !== UTF8) {
    failElement(source, name.at, "the variable's name is not where it should be");
  }
  const text = Buffer.from(source.bytes.subarray(name.start, name.start + name.sizeBytes));
  return {
    name: text.toString(name.type === UTF8 ? 'utf8' : 'latin1'),
    arrayClass,
    isComplex: (word & COMPLEX_FLAG) !== 0,
    shape,
    next: name.next,
  };
}

/**
 * Reads an array's numbers. MATLAB stores them in the smallest type that holds them all, so that a double may come as
 * bytes; a number that its class cannot hold means that the file is damaged.
 */
function readArray(source: MatBytes, matrix: MatElement, header: MatHeader): MatArray {
  const { name, arrayClass, isComplex, shape, next } = header;
  const type = NUMBER_TYPES.find((one) => one.arrayClass === arrayClass);
  if (type === undefined || isComplex) {
    failVariable(source, matrix.at, name, 'is not an array of real numbers', 'Use the published file.');
  }
  const element = readElement(source, next, matrix.start + matrix.sizeBytes);
  const stored = NUMBER_TYPES.find((one) => one.stored === element.type);
  if (stored === undefined) failElement(source, element.at, `type ${element.type} is not a number type`);
  const { bytes, read } = stored;
  const length = shape.reduce((product, size) => product * size, 1);
  if (shape.some((size) => size < 0) || element.sizeBytes !== length * bytes) {
    const numbers = `has ${shape.join(' x ')} numbers of ${bytes} bytes by its shape`;
    failVariable(source, element.at, name, `${numbers}, but ${element.sizeBytes} bytes of data`);
  }
  const data = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    data[i] = Number(read(source.view, element.start + i * bytes, source.littleEndian));
    if (type.holds(data[i]!)) continue;
    failVariable(source, element.at, name, `has a number at index ${i} that its type cannot hold`);
  }
  return { shape, data };
}

const HDF5_VERSION = 0x0200;
const MAT5_VERSION = 0x0100;
const SAVE_AGAIN = "In MATLAB, load it and `save` it with '-v7'.";

/**
 * Checks the 128 bytes at the start: text, version, and two letters that tell the byte order.
 *
 * @returns whether numbers are little-endian
 * @throws {ReproError} `mat5-header` for anything but version 5; versions 4 and 7.3 (HDF5) are named
 */
function readByteOrder(bytes: Uint8Array, file: string): boolean {
  const fail = (what: string, fix = DAMAGED): never => {
    throw new ReproError('mat5-header', `${what}.`, { where: `${file}: header`, fix });
  };
  const head = Buffer.from(bytes.subarray(0, HEADER_BYTES));
  const text = head.toString('latin1');
  const order = text.slice(126, 128);
  const littleEndian = order === 'IM';
  const version =
    head.length < HEADER_BYTES ? 0 : littleEndian ? head.readUInt16LE(124) : head.readUInt16BE(124);
  if (bytes.length === 0) fail('the file is empty', 'Download it again.');
  const isHdf5 = text.startsWith('MATLAB 7.3') || text.startsWith('\x89HDF\r\n\x1a\n');
  if (isHdf5 || version === HDF5_VERSION) {
    fail('this is a MATLAB 7.3 file (HDF5), not version 5', SAVE_AGAIN);
  }
  // MATLAB's own rule: version 5 begins with text, so a zero among the first four bytes means version 4.
  if (text.slice(0, 4).includes('\0')) {
    const zero = 'a zero among the first four bytes means version 4, or that it is not a .mat file';
    fail(`this is not a MATLAB 5 file: ${zero}`, SAVE_AGAIN);
  }
  if (!text.startsWith('MATLAB')) {
    fail('this is not a MATLAB 5 file: it does not start with `MATLAB`', 'Download the file again.');
  }
  if (head.length < HEADER_BYTES) {
    fail(`the file ends after ${bytes.length} of the header's ${HEADER_BYTES} bytes`);
  }
  if (order !== 'IM' && order !== 'MI') {
    fail(`bytes 126 and 127 must be \`IM\` or \`MI\`, not ${JSON.stringify(order)}`);
  }
  if (version !== MAT5_VERSION) fail(`the version is ${version >> 8}.${version & 0xff}, not 1.0`);
  return littleEndian;
}

function describePlace({ file, compressedAt }: MatBytes, at: number): string {
  return compressedAt === undefined
    ? `${file}: byte ${at}`
    : `${file}: byte ${at} of the compressed variable at byte ${compressedAt}`;
}

function failElement(source: MatBytes, at: number, what: string): never {
  throw new ReproError('mat5-element', `${what}.`, { where: describePlace(source, at), fix: DAMAGED });
}

function failTruncated(source: MatBytes, at: number, neededBytes: number, thereBytes: number): never {
  const [needed, there] = [formatCount(neededBytes, 'byte'), thereBytes.toLocaleString('en-US')];
  const text = `the element here needs ${needed}, but only ${there} follow.`;
  throw new ReproError('mat5-truncated', text, { where: describePlace(source, at), fix: DAMAGED });
}

function failVariable(source: MatBytes, at: number, name: string, what: string, fix = DAMAGED): never {
  const where = describePlace(source, at);
  throw new ReproError('mat5-variable', `variable ${JSON.stringify(name)} ${what}.`, { where, fix });
}
