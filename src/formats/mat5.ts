import { inflateSync } from 'node:zlib';
import { messageOf, ReproError } from '../base/errors.ts';
import { formatCount, listSome, shortenText } from '../base/text.ts';

/** A numeric array of a .mat file. */
interface MatArray {
  /** At least two dimensions: a list is [N, 1] or [1, N]. */
  readonly shape: readonly number[];
  /** In the file's order: the first index changes fastest. A 64-bit integer beyond 2^53 is rounded. */
  readonly data: Float64Array;
}

/** Bytes of a .mat file or of one uncompressed variable, and where they are, for messages. */
interface MatBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
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
  /** Of real numbers; not of cells, text, complex numbers and so on. */
  readonly isNumeric: boolean;
  readonly shape: readonly number[];
  /** Of the element with the numbers. */
  readonly next: number;
}

/** Types of elements besides numbers. */
const [INT8, INT32, UINT32, MATRIX, COMPRESSED, UTF8] = [1, 5, 6, 14, 15, 16];

interface NumberType {
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number | bigint;
}

/** By their number in the file. MATLAB stores an array in the smallest type that holds all its numbers: a double may come as bytes. */
const NUMBER_TYPES: ReadonlyMap<number, NumberType> = new Map<number, NumberType>([
  [1, { bytes: 1, read: (view, at) => view.getInt8(at) }],
  [2, { bytes: 1, read: (view, at) => view.getUint8(at) }],
  [3, { bytes: 2, read: (view, at) => view.getInt16(at, true) }],
  [4, { bytes: 2, read: (view, at) => view.getUint16(at, true) }],
  [5, { bytes: 4, read: (view, at) => view.getInt32(at, true) }],
  [6, { bytes: 4, read: (view, at) => view.getUint32(at, true) }],
  [7, { bytes: 4, read: (view, at) => view.getFloat32(at, true) }],
  [9, { bytes: 8, read: (view, at) => view.getFloat64(at, true) }],
  [12, { bytes: 8, read: (view, at) => view.getBigInt64(at, true) }],
  [13, { bytes: 8, read: (view, at) => view.getBigUint64(at, true) }],
]);
/** Classes of arrays: double to 64-bit integers; and objects, which have no shape, and their name in another place. */
const [FIRST_NUMERIC, LAST_NUMERIC, OPAQUE] = [6, 15, 17];
const COMPLEX_FLAG = 0x0800;
const HEADER_BYTES = 128;
const TAG_BYTES = 8;
/** In a message. */
const MOST_SHOWN_NAMES = 10;
const MOST_SHOWN_LETTERS = 64;
const DAMAGED = 'The file is cut off or damaged: download it again.';

/**
 * Reads numeric arrays of a little-endian MATLAB 5 file (`save` with `-v6` or `-v7`): double, single, and all integers, also logical
 * arrays as 0 and 1, compressed or not. Everything else (cell, struct, text, sparse, complex) is skipped, or an error if it is wanted.
 *
 * @param file name for messages
 * @param limitBytes most bytes of a compressed variable, unpacked
 * @returns the arrays by name; the last one counts where a name occurs twice, as in MATLAB
 * @throws {ReproError} `mat5-header` for another kind of file (7.3 is named), `mat5-element` for damage, `mat5-truncated`,
 *   `mat5-variable` for a wanted array that is missing or not numeric
 * @see "MAT-File Format", The MathWorks, chapter 1
 */
export function readMat5(
  bytes: Uint8Array,
  file: string,
  wanted: readonly string[],
  limitBytes: number,
): Map<string, MatArray> {
  checkStart(bytes, file);
  const source = openBytes(bytes, file);
  const arrays = new Map<string, MatArray>();
  const names: string[] = [];
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const outer = readElement(source, at, bytes.length);
    at = outer.next;
    const inner = outer.type === COMPRESSED ? inflate(source, outer, limitBytes) : source;
    const matrix = inner === source ? outer : readElement(inner, 0, inner.bytes.length);
    if (matrix.type !== MATRIX) {
      failElement(inner, matrix.at, `an element of type ${matrix.type} is not a variable`);
    }
    const header = readHeader(inner, matrix);
    if (header.name !== '') names.push(header.name);
    if (wanted.includes(header.name)) arrays.set(header.name, readArray(inner, matrix, header));
  }
  for (const name of wanted) {
    if (arrays.has(name)) continue;
    const quoted = names.map((other) => JSON.stringify(shortenText(other, MOST_SHOWN_LETTERS)));
    const list = names.length === 0 ? 'no variables' : listSome(quoted, MOST_SHOWN_NAMES);
    const what = `is missing; the file contains ${list}`;
    failVariable(source, HEADER_BYTES, name, what, 'Use the published file.');
  }
  return arrays;
}

function openBytes(bytes: Uint8Array, file: string, compressedAt?: number): MatBytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, view, file, compressedAt };
}

function inflate(source: MatBytes, { at, start, sizeBytes }: MatElement, mostBytes: number): MatBytes {
  const packed = source.bytes.subarray(start, start + sizeBytes);
  try {
    return openBytes(inflateSync(packed, { maxOutputLength: mostBytes }), source.file, at);
  } catch (error) {
    return failElement(source, at, `the compressed variable cannot be unpacked: ${messageOf(error)}`);
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
  const first = source.view.getUint32(at, true);
  const smallBytes = first >>> 16;
  if (smallBytes > 4) failElement(source, at, `a small element has at most 4 bytes, not ${smallBytes}`);
  if (smallBytes > 0) {
    return { type: first & 0xffff, at, start: at + 4, sizeBytes: smallBytes, next: at + TAG_BYTES };
  }
  const sizeBytes = source.view.getUint32(at + 4, true);
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
  const word = source.view.getUint32(flags.start, true);
  const arrayClass = word & 0xff;
  if (arrayClass === OPAQUE) return { name: '', isNumeric: false, shape: [], next: end };
  const dimensions = readElement(source, flags.next, end);
  // Some programs other than MATLAB write the shape without a sign, or the name as UTF-8.
  const isShape = dimensions.type === INT32 || dimensions.type === UINT32;
  if (!isShape || dimensions.sizeBytes % 4 !== 0 || dimensions.sizeBytes < 8) {
    failElement(source, dimensions.at, "the variable's shape is not where it should be");
  }
  const shape = Array.from({ length: dimensions.sizeBytes / 4 }, (_, i) =>
    source.view.getInt32(dimensions.start + 4 * i, true),
  );
  const name = readElement(source, dimensions.next, end);
  if (name.type !== INT8 && name.type !== UTF8) {
    failElement(source, name.at, "the variable's name is not where it should be");
  }
  const text = Buffer.from(source.bytes.subarray(name.start, name.start + name.sizeBytes));
  return {
    name: text.toString(name.type === UTF8 ? 'utf8' : 'latin1'),
    isNumeric: arrayClass >= FIRST_NUMERIC && arrayClass <= LAST_NUMERIC && (word & COMPLEX_FLAG) === 0,
    shape,
    next: name.next,
  };
}

function readArray(source: MatBytes, matrix: MatElement, header: MatHeader): MatArray {
  const { name, isNumeric, shape, next } = header;
  if (!isNumeric) {
    failVariable(source, matrix.at, name, 'is not an array of real numbers', 'Use the published file.');
  }
  const element = readElement(source, next, matrix.start + matrix.sizeBytes);
  const stored = NUMBER_TYPES.get(element.type);
  if (stored === undefined) failElement(source, element.at, `type ${element.type} is not a number type`);
  const { bytes, read } = stored;
  const length = shape.reduce((product, size) => product * size, 1);
  if (shape.some((size) => size < 0) || element.sizeBytes !== length * bytes) {
    const numbers = `has ${shape.join(' x ')} numbers of ${bytes} bytes by its shape`;
    failVariable(source, element.at, name, `${numbers}, but ${element.sizeBytes} bytes of data`);
  }
  const data = new Float64Array(length);
  for (let i = 0; i < length; i++) data[i] = Number(read(source.view, element.start + i * bytes));
  return { shape, data };
}

/** Checks the 128 bytes at the start: text, version, and two letters that tell the byte order. */
function checkStart(bytes: Uint8Array, file: string): void {
  const fail = (what: string, fix = DAMAGED): never => {
    throw new ReproError('mat5-header', `${what}.`, { where: `${file}: header`, fix });
  };
  const text = Buffer.from(bytes.subarray(0, HEADER_BYTES)).toString('latin1');
  if (text.startsWith('MATLAB 7.3') || text.startsWith('\x89HDF')) {
    fail('this is a MATLAB 7.3 file (HDF5), not version 5', "In MATLAB, load it and `save` it with '-v7'.");
  }
  if (!text.startsWith('MATLAB')) {
    fail('this is not a MATLAB 5 file: it does not start with `MATLAB`', 'Download the file again.');
  }
  if (text.length < HEADER_BYTES) {
    fail(`the file ends after ${bytes.length} of the header's ${HEADER_BYTES} bytes`);
  }
  // Version 1.0, little-endian.
  if (text.slice(124) !== '\0\x01IM') {
    fail('this is not a little-endian file of version 1.0: bytes 124 to 127 must be 00 01 `IM`');
  }
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
