import { ReproError } from '../base/errors.ts';
import { escapeControls, latin1Text } from '../base/text.ts';
import { countElements } from './tensor.ts';

/** Element types by NumPy's names. */
const TYPES = {
  bool: { descr: '|b1', make: Uint8Array },
  int8: { descr: '|i1', make: Int8Array },
  uint8: { descr: '|u1', make: Uint8Array },
  int16: { descr: '<i2', make: Int16Array },
  uint16: { descr: '<u2', make: Uint16Array },
  int32: { descr: '<i4', make: Int32Array },
  uint32: { descr: '<u4', make: Uint32Array },
  int64: { descr: '<i8', make: BigInt64Array },
  uint64: { descr: '<u8', make: BigUint64Array },
  float32: { descr: '<f4', make: Float32Array },
  float64: { descr: '<f8', make: Float64Array },
} as const;

export type NpyType = keyof typeof TYPES;

/** Element types of event counts: the smallest that holds them all. */
export type CountType = 'uint8' | 'uint16' | 'uint32';

function isNpyType(name: string): name is NpyType {
  return Object.hasOwn(TYPES, name);
}

const TYPE_NAMES = Object.keys(TYPES).filter(isNpyType);

/** Typed array of each element type. Files are little-endian, as is every machine that Node is built for except s390x. */
export type NpyData<T extends NpyType = NpyType> = InstanceType<(typeof TYPES)[T]['make']>;

interface NpyHeader {
  readonly dtype: NpyType;
  readonly shape: readonly number[];
  /** Where the data start. */
  readonly dataOffset: number;
}

export interface NpyArray {
  readonly dtype: NpyType;
  readonly shape: readonly number[];
  /** C order. */
  readonly data: NpyData;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0];
const PREFIX_BYTES = 10;
const ALIGNMENT_BYTES = 64;
/** NumPy leaves room for this many digits of the first dimension, so that a file can grow without moving its data. */
const GROWTH_DIGITS = 21;
/** No array used here has a longer header. */
export const LARGEST_NPY_HEADER_BYTES = 4096;

export function bytesPerElement(dtype: NpyType): number {
  return TYPES[dtype].make.BYTES_PER_ELEMENT;
}

export function newNpyData<T extends NpyType>(dtype: T, length: number): NpyData<T> {
  return new TYPES[dtype].make(length) as NpyData<T>;
}

/** Little-endian bytes as a typed array: always a copy, so `bytes` may have any alignment. */
export function npyDataFromBytes<T extends NpyType>(dtype: T, bytes: Uint8Array): NpyData<T> {
  const data = newNpyData(dtype, bytes.length / bytesPerElement(dtype));
  new Uint8Array(data.buffer).set(bytes);
  return data;
}

/** The header that `np.save` writes, format 1.0. Its size does not depend on the first dimension. */
export function encodeNpyHeader(dtype: NpyType, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const growth = shape.length === 0 ? 0 : GROWTH_DIGITS - String(shape[0]).length;
  const text = `{'descr': '${TYPES[dtype].descr}', 'fortran_order': False, 'shape': ${tuple}, }${' '.repeat(growth)}`;
  const size = Math.ceil((PREFIX_BYTES + text.length + 1) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  const bytes = new Uint8Array(size);
  bytes.set(MAGIC);
  new DataView(bytes.buffer).setUint16(8, size - PREFIX_BYTES, true);
  bytes.set(new TextEncoder().encode(`${text.padEnd(size - PREFIX_BYTES - 1)}\n`), PREFIX_BYTES);
  return bytes;
}

/**
 * Parses, but never evaluates, the header in a file's first bytes.
 *
 * @param bytes at least the header
 * @throws {ReproError} `npy` for another format, version, byte order, element type or Fortran order
 */
export function decodeNpyHeader(bytes: Uint8Array, file: string): NpyHeader {
  const { descr, isFortran, shape, dataOffset } = parseNpyHeader(bytes, file);
  if (isFortran) fail(file, PREFIX_BYTES, 'its fortran_order is True, expected False (C order)');
  const dtype = TYPE_NAMES.find((name) => `'${TYPES[name].descr}'` === descr);
  if (dtype === undefined) return fail(file, PREFIX_BYTES, `its element type ${descr} is not supported`);
  return { dtype, shape, dataOffset };
}

/** A header of any element type, which `descr` says as Python writes it: `'<f4'`, or the list of a structured array's fields. */
export function parseNpyHeader(
  bytes: Uint8Array,
  file: string,
): Omit<NpyHeader, 'dtype'> & { readonly descr: string; readonly isFortran: boolean } {
  if (MAGIC.slice(0, 6).some((byte, i) => bytes[i] !== byte))
    fail(file, 0, 'expected a .npy file, found something else');
  if (bytes.length < PREFIX_BYTES) fail(file, bytes.length, 'the file ends inside its header');
  if (bytes[6] !== 1 || bytes[7] !== 0) {
    fail(file, 6, `its format is ${bytes[6]}.${bytes[7]}, expected 1.0`);
  }
  const dataOffset = PREFIX_BYTES + bytes[8]! + 256 * bytes[9]!;
  if (dataOffset > LARGEST_NPY_HEADER_BYTES) fail(file, 8, `its header claims ${dataOffset} bytes`);
  if (bytes.length < dataOffset) fail(file, bytes.length, 'the file ends inside its header');
  const text = latin1Text(bytes.subarray(PREFIX_BYTES, dataOffset));
  const body = /^\{(.*?),? *\} *\n$/.exec(text)?.[1];
  const entries = new Map<string, string>();
  let rest = body ?? fail(file, PREFIX_BYTES, `its header cannot be parsed: ${text.trim()}`);
  while (rest !== '') {
    const entry = /^ *'(\w+)': *('[^']*'|True|False|\([\d, ]*\)|\[[^\]]*\]) *(?:, *|$)/.exec(rest);
    if (entry === null || entries.has(entry[1]!)) {
      return fail(file, PREFIX_BYTES, `its header cannot be parsed: ${text.trim()}`);
    }
    entries.set(entry[1]!, entry[2]!);
    rest = rest.slice(entry[0].length);
  }
  const [descr, order, shape] = ['descr', 'fortran_order', 'shape'].map((key) => entries.get(key));
  if (descr === undefined || order === undefined || shape === undefined || entries.size !== 3) {
    return fail(file, PREFIX_BYTES, 'its header must have descr, fortran_order and shape, and nothing else');
  }
  return { descr, isFortran: order === 'True', shape: parseShape(shape, file), dataOffset };
}

function parseShape(text: string, file: string): number[] {
  if (!/^\((?:|\d+,|\d+(?:, *\d+)+,?)\)$/.test(text)) {
    fail(file, PREFIX_BYTES, `its shape ${text} cannot be parsed`);
  }
  const shape = text
    .slice(1, -1)
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  if (!Number.isSafeInteger(shape.reduce((product, size) => product * size, 8))) {
    fail(file, PREFIX_BYTES, `its shape ${text} is too large`);
  }
  return shape;
}

/** The bytes of a whole `.npy` file. */
export function encodeNpy({ dtype, shape, data }: NpyArray): Uint8Array {
  const header = encodeNpyHeader(dtype, shape);
  const bytes = new Uint8Array(header.length + data.byteLength);
  bytes.set(header);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length);
  return bytes;
}

/** Reads a whole `.npy` file from memory. @throws {ReproError} `npy` if it is truncated, too long or not supported */
export function decodeNpy(bytes: Uint8Array, file = 'array.npy'): NpyArray {
  const { dtype, shape, dataOffset } = decodeNpyHeader(bytes, file);
  checkNpySize(file, { dtype, shape, dataOffset }, bytes.length);
  return { dtype, shape, data: npyDataFromBytes(dtype, bytes.subarray(dataOffset)) };
}

/** @throws {ReproError} `npy` if the file is not exactly as long as its header says */
export function checkNpySize(file: string, header: NpyHeader, sizeBytes: number): void {
  const expected = header.dataOffset + countElements(header.shape) * bytesPerElement(header.dtype);
  if (expected !== sizeBytes) {
    fail(
      file,
      Math.min(expected, sizeBytes),
      `${header.dtype} [${header.shape.join(', ')}] takes ${expected} bytes, but the file has ${sizeBytes}`,
    );
  }
}

function fail(file: string, offset: number, what: string): never {
  throw new ReproError('npy', `${escapeControls(what)}.`, {
    where: `${file}: byte ${offset}`,
    fix: 'Make the file again. If a stage made it, rerun that stage with --force.',
  });
}
