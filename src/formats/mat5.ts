import { ReproError } from '../errors.ts';
import { listSome, shortenText } from '../text.ts';
import {
  COMPRESSED,
  failElement,
  failTooLarge,
  failTooMany,
  failVariable,
  INT8,
  INT32,
  inflateAll,
  inflateStart,
  MATRIX,
  type MatBytes,
  type MatElement,
  openBytes,
  placeIn,
  readElement,
  UINT32,
  UTF8,
} from './mat5-element.ts';
import { classBytes, isNumericClass, type MatNumbers, readNumbers } from './mat5-numbers.ts';

export type { MatNumbers } from './mat5-numbers.ts';

/** A numeric array of a .mat file. */
export interface MatArray {
  /** At least two dimensions: a list is [N, 1] or [1, N]. */
  readonly shape: readonly number[];
  /** In the file's order: the first index changes fastest. Of the array's class; int64 and uint64 as BigInt. */
  readonly data: MatNumbers;
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

/** A recording has a handful. Each must be looked into for its name. */
const MOST_VARIABLES = 1000;
/** In a message. */
const MOST_SHOWN_NAMES = 10;
const MOST_SHOWN_LETTERS = 64;
const CLASS_NAMES: Readonly<Record<number, string>> = {
  1: 'a cell array',
  2: 'a struct',
  3: 'an object',
  4: 'text',
  5: 'a sparse matrix',
  16: 'a function',
  17: 'an object',
};
const OPAQUE = 17;
const COMPLEX_FLAG = 0x0800;

/**
 * Reads the numeric arrays of a MATLAB 5 file (`save` with `-v6` or `-v7`): double, single, and all integers, also
 * logical arrays as bytes 0 and 1. Both byte orders, compressed or not. Everything else (cell, struct, text, sparse,
 * complex) is skipped, or an error if it is wanted.
 *
 * @param file name for messages
 * @param wanted names; without it, every numeric array is read. Of others, only the name is unpacked.
 * @param limitBytes most bytes that the arrays may take together; small files can unpack to a thousand times their size
 * @returns the arrays by name; the last one counts where a name occurs twice, as in MATLAB
 * @throws {ReproError} `mat5-header` for another kind of file (4 and 7.3 are named), `mat5-element` for damage,
 *   `mat5-truncated`, `mat5-size` beyond `limitBytes` or 1,000 variables, `mat5-variable` for a wanted array that is missing
 *   or not numeric
 * @see "MAT-File Format", The MathWorks, chapter 1; docs/formats.md
 */
export function readMat5(
  bytes: Uint8Array,
  file: string,
  wanted?: readonly string[],
  limitBytes = 2 ** 30,
): Map<string, MatArray> {
  const littleEndian = readByteOrder(bytes, file);
  const source = openBytes(bytes, littleEndian, file);
  const arrays = new Map<string, MatArray>();
  const names: string[] = [];
  let usedBytes = 0;
  let variables = 0;
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const element = readElement(source, at, bytes.length);
    at = element.next;
    variables += 1;
    if (variables > MOST_VARIABLES) failTooMany(placeIn(source, element.at), MOST_VARIABLES);
    const matrix = openMatrix(source, element);
    const header = readHeader(matrix.source, matrix.element);
    if (header.name !== '') names.push(header.name);
    if (wanted !== undefined ? !wanted.includes(header.name) : header.name === '' || !isReadable(header))
      continue;
    const place = placeIn(source, element.at);
    if (!isReadable(header)) {
      const kind = header.isComplex ? 'complex' : (CLASS_NAMES[header.arrayClass] ?? 'of an unknown kind');
      failVariable(place, header.name, `is ${kind}, not an array of real numbers`, 'Use the published file.');
    }
    const length = header.shape.reduce((product, size) => product * size, 1);
    usedBytes += length * classBytes(header.arrayClass);
    const claimedBytes = usedBytes + (matrix.isCompressed ? matrix.element.sizeBytes : 0);
    if (claimedBytes > limitBytes) failTooLarge(place, claimedBytes, limitBytes);
    const data = readData(matrix.inflate(), header, length);
    arrays.set(header.name, { shape: header.shape, data });
  }
  for (const name of wanted ?? []) {
    if (arrays.has(name)) continue;
    failVariable(
      { file, byte: HEADER_BYTES },
      name,
      `is missing; the file contains ${listNames(names)}`,
      'Use the published file.',
    );
  }
  return arrays;
}

function listNames(names: readonly string[]): string {
  if (names.length === 0) return 'no variables';
  return listSome(
    names.map((name) => JSON.stringify(shortenText(name, MOST_SHOWN_LETTERS))),
    MOST_SHOWN_NAMES,
  );
}

interface OpenMatrix {
  /** With at least the array's header. */
  readonly source: MatBytes;
  /** Of the whole array; if it is compressed, `source` may end before it. */
  readonly element: MatElement;
  readonly isCompressed: boolean;
  readonly inflate: () => { readonly source: MatBytes; readonly element: MatElement };
}

/** An array's element, out of its compressed element if it is in one. */
function openMatrix(source: MatBytes, outer: MatElement): OpenMatrix {
  const place = placeIn(source, outer.at);
  if (outer.type === MATRIX) {
    return { source, element: outer, isCompressed: false, inflate: () => ({ source, element: outer }) };
  }
  if (outer.type !== COMPRESSED) failElement(place, `an element of type ${outer.type} is not a variable`);
  const compressed = source.bytes.subarray(outer.start, outer.start + outer.sizeBytes);
  const open = (bytes: Uint8Array) => openBytes(bytes, source.littleEndian, source.file, outer.at);
  const start = open(inflateStart(compressed, place));
  const element = readElement(start, 0, Number.POSITIVE_INFINITY);
  if (element.type !== MATRIX)
    failElement(place, `the compressed element is of type ${element.type}, not a variable`);
  return {
    source: start,
    element,
    isCompressed: true,
    inflate: () => ({
      source: open(inflateAll(compressed, place, element.start + element.sizeBytes)),
      element,
    }),
  };
}

/** Flags, shape and name; the numbers are the element after them. */
function readHeader(source: MatBytes, matrix: MatElement): MatHeader {
  const place = placeIn(source, matrix.at);
  const end = Math.min(matrix.start + matrix.sizeBytes, source.bytes.length);
  const flags = readElement(source, matrix.start, end);
  if (flags.type !== UINT32 || flags.sizeBytes !== 8)
    failElement(place, 'the variable does not start with its flags');
  const word = source.view.getUint32(flags.start, source.littleEndian);
  const arrayClass = word & 0xff;
  // These have no shape, and their name is in another place.
  if (arrayClass === OPAQUE) return { name: '', arrayClass, isComplex: false, shape: [], next: end };
  const dimensions = readElement(source, flags.next, end);
  // Some programs other than MATLAB write the shape without a sign, or the name as UTF-8.
  const isShape = dimensions.type === INT32 || dimensions.type === UINT32;
  if (!isShape || dimensions.sizeBytes % 4 !== 0 || dimensions.sizeBytes < 8) {
    failElement(placeIn(source, dimensions.at), "the variable's shape is not where it should be");
  }
  const name = readElement(source, dimensions.next, end);
  if (name.type !== INT8 && name.type !== UTF8)
    failElement(placeIn(source, name.at), "the variable's name is not where it should be");
  const text = source.bytes.subarray(name.start, name.start + name.sizeBytes);
  return {
    name: Buffer.from(text).toString(name.type === UTF8 ? 'utf8' : 'latin1'),
    arrayClass,
    isComplex: (word & COMPLEX_FLAG) !== 0,
    shape: readShape(source, dimensions),
    next: name.next,
  };
}

function readShape(source: MatBytes, dimensions: MatElement): number[] {
  const shape: number[] = [];
  let length = 1;
  for (let at = dimensions.start; at < dimensions.start + dimensions.sizeBytes; at += 4) {
    const size = source.view.getInt32(at, source.littleEndian);
    length *= size;
    if (size < 0 || !Number.isSafeInteger(length)) {
      failElement(placeIn(source, dimensions.at), `a dimension of ${size} is impossible here`);
    }
    shape.push(size);
  }
  return shape;
}

function isReadable({ arrayClass, isComplex }: MatHeader): boolean {
  return isNumericClass(arrayClass) && !isComplex;
}

function readData(
  { source, element }: { readonly source: MatBytes; readonly element: MatElement },
  { name, arrayClass, next }: MatHeader,
  length: number,
): MatNumbers {
  const data = readElement(source, next, element.start + element.sizeBytes);
  return readNumbers(source, data, arrayClass, length, name);
}

const HEADER_BYTES = 128;
const VERSION_AT = 124;
const HDF5_VERSION = 0x0200;
const MAT5_VERSION = 0x0100;

/**
 * Checks the 128 bytes at the start: text, version, and two letters that tell the byte order.
 *
 * @returns whether numbers are little-endian
 * @throws {ReproError} `mat5-header` for anything but version 5; versions 4 and 7.3 (HDF5) are named
 */
function readByteOrder(bytes: Uint8Array, file: string): boolean {
  if (bytes.length === 0) fail(file, 'the file is empty', 'Download it again.');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEADER_BYTES)).toString(
    'latin1',
  );
  if (text.startsWith('MATLAB 7.3')) failHdf5(file);
  if (text.startsWith('\x89HDF\r\n\x1a\n')) failHdf5(file);
  // MATLAB's own rule: version 5 begins with text, so a zero among the first four bytes means version 4.
  if (bytes.length >= 4 && text.slice(0, 4).includes('\0')) {
    fail(
      file,
      'this is not a MATLAB 5 file: a zero among the first four bytes means version 4, or that it is not a .mat file',
      "In MATLAB, load it and `save` it with '-v7'.",
    );
  }
  if (!text.startsWith('MATLAB')) {
    fail(file, 'this is not a MATLAB 5 file: it does not start with `MATLAB`', 'Download the file again.');
  }
  if (bytes.length < HEADER_BYTES) {
    fail(
      file,
      `the file ends after ${bytes.length} of the header's ${HEADER_BYTES} bytes`,
      'The file is cut off: download it again.',
    );
  }
  const order = text.slice(126, 128);
  if (order !== 'IM' && order !== 'MI') {
    fail(
      file,
      `bytes 126 and 127 must be \`IM\` or \`MI\`, not ${JSON.stringify(order)}`,
      'The file is damaged: download it again.',
    );
  }
  const littleEndian = order === 'IM';
  const version = new DataView(bytes.buffer, bytes.byteOffset).getUint16(VERSION_AT, littleEndian);
  if (version === HDF5_VERSION) failHdf5(file);
  if (version !== MAT5_VERSION) {
    fail(
      file,
      `the version is ${version >> 8}.${version & 0xff}, not 1.0`,
      'The file is damaged: download it again.',
    );
  }
  return littleEndian;
}

function failHdf5(file: string): never {
  fail(
    file,
    'this is a MATLAB 7.3 file (HDF5), not version 5',
    "In MATLAB, load it and `save` it with '-v7'.",
  );
}

function fail(file: string, what: string, fix: string): never {
  throw new ReproError('mat5-header', `${what}.`, { where: `${file}: header`, fix });
}
