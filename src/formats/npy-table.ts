import { unzipSync } from 'fflate';
import { messageOf, ReproError } from '../base/errors.ts';
import { escapeControls, formatBytes } from '../base/text.ts';
import { parseNpyHeader } from './npy.ts';
import { countElements } from './tensor.ts';

/** A column of a table that Python wrote. */
interface NpyColumn {
  /** Of the field of a structured array, or the array of an .npz; empty in a plain array [N, 4]. */
  readonly name: string;
  /** @throws {ReproError} `npy` if it does not have one number for each row */
  read(): Float64Array;
}

/** By NumPy's letter and number of bytes; a 64-bit integer beyond 2^53 is rounded. */
const NUMBERS = new Map<string, (view: DataView, at: number, isLittle: boolean) => number>([
  ['b1', (view, at) => view.getUint8(at)],
  ['u1', (view, at) => view.getUint8(at)],
  ['i1', (view, at) => view.getInt8(at)],
  ['i2', (view, at, isLittle) => view.getInt16(at, isLittle)],
  ['u2', (view, at, isLittle) => view.getUint16(at, isLittle)],
  ['i4', (view, at, isLittle) => view.getInt32(at, isLittle)],
  ['u4', (view, at, isLittle) => view.getUint32(at, isLittle)],
  ['i8', (view, at, isLittle) => Number(view.getBigInt64(at, isLittle))],
  ['u8', (view, at, isLittle) => Number(view.getBigUint64(at, isLittle))],
  ['f4', (view, at, isLittle) => view.getFloat32(at, isLittle)],
  ['f8', (view, at, isLittle) => view.getFloat64(at, isLittle)],
]);

/** Of an .npz, unpacked: 8 million events with four doubles each. */
const LARGEST_BYTES = 2 ** 28;

/**
 * Finds the columns in a `.npy` or `.npz`: the fields of a structured array [N], the columns of a plain array [N, 4], or the arrays [N]
 * of an .npz. An .npz with one array is read as that array.
 *
 * @param file name for messages
 * @throws {ReproError} `npy` for damage, another shape, or elements that are not numbers
 */
export function readNpyTable(bytes: Uint8Array, file: string): readonly NpyColumn[] {
  if (bytes[0] !== 0x50 || bytes[1] !== 0x4b) return readArray(bytes, file);
  const arrays = Object.entries(unpack(bytes, file));
  if (arrays.length === 1) return arrays.flatMap(([name, array]) => readArray(array, `${file}: ${name}`));
  return arrays.map(([name, array]) => ({
    name: name.replace(/\.npy$/, ''),
    read() {
      const [column, ...others] = readArray(array, `${file}: ${name}`);
      if (column === undefined || others.length > 0) fail(`${file}: ${name}`, 'its shape is not [N]');
      return column.read();
    },
  }));
}

function unpack(bytes: Uint8Array, file: string): Record<string, Uint8Array> {
  let unpackedBytes = 0;
  const filter = ({ originalSize }: { readonly originalSize: number }): boolean => {
    unpackedBytes += originalSize;
    return unpackedBytes <= LARGEST_BYTES;
  };
  let arrays: Record<string, Uint8Array>;
  try {
    arrays = unzipSync(bytes, { filter });
  } catch (cause) {
    const what = `it is cut off or damaged (${messageOf(cause)})`;
    return fail(file, what, undefined, cause);
  }
  if (unpackedBytes <= LARGEST_BYTES) return arrays;
  const sizes = `${formatBytes(unpackedBytes)}, expected at most ${formatBytes(LARGEST_BYTES)}`;
  return fail(file, `unpacked, it would have ${sizes}`, 'Cut the clip into shorter ones.');
}

function readArray(bytes: Uint8Array, file: string): readonly NpyColumn[] {
  const { descr, isFortran, shape, dataOffset } = parseNpyHeader(bytes, file);
  const { fields, itemBytes } = parseFields(descr, file);
  const [rows = 0, width = 1] = shape;
  const isPlain = !descr.startsWith('[');
  if (shape.length !== 1 && !(isPlain && shape.length === 2 && width === 4)) {
    const expected = isPlain ? '[N, 4]' : '[N]';
    fail(file, `its shape is [${shape.join(', ')}], expected ${expected}: one row for each event`);
  }
  const sizeBytes = dataOffset + countElements(shape) * itemBytes;
  if (sizeBytes !== bytes.length) {
    fail(file, `its header claims ${sizeBytes} bytes in all, but the file has ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [toColumn, toRow] = isFortran ? [rows, 1] : [1, width];
  return Array.from({ length: width }, (_, column) => dataOffset + column * toColumn * itemBytes).flatMap(
    (start) =>
      fields.map(({ name, type, isLittle, at }) => ({
        name,
        read() {
          const number = NUMBERS.get(type) ?? failType(file, type);
          const values = new Float64Array(rows);
          for (let row = 0; row < rows; row++) {
            values[row] = number(view, start + at + row * toRow * itemBytes, isLittle);
          }
          return values;
        },
      })),
  );
}

interface Field {
  readonly name: string;
  /** NumPy's letter and number of bytes: `i8`. */
  readonly type: string;
  readonly isLittle: boolean;
  /** From the start of the element. */
  readonly at: number;
}

/** @param descr `'<i8'`, or `[('x', '<i2'), ('', '|V6'), ('t', '<i8')]`, where fields without a name are padding */
function parseFields(descr: string, file: string): { readonly fields: Field[]; readonly itemBytes: number } {
  const fields: Field[] = [];
  let itemBytes = 0;
  let rest = descr.startsWith('[') ? descr.slice(1, -1) : `('', ${descr})`;
  while (rest !== '') {
    const [all, name = '', order, letter = '', size] =
      /^ *\('([^']*)', '([<>|])([A-Za-z])(\d+)'\) *(?:,|$)/.exec(rest) ?? failType(file, descr);
    if (letter !== 'V') {
      fields.push({ name, type: `${letter}${size}`, isLittle: order !== '>', at: itemBytes });
    }
    // Letters of a text have four bytes each.
    itemBytes += Number(size) * (letter === 'U' ? 4 : 1);
    rest = rest.slice(all.length);
  }
  return { fields, itemBytes };
}

function failType(file: string, type: string): never {
  const fix = 'Save numbers: integers, bool, float32 or float64. Python objects can be read by Python alone.';
  return fail(file, `its element type ${type} is not supported`, fix);
}

function fail(file: string, what: string, fix = 'Copy or make it again.', cause?: unknown): never {
  throw new ReproError('npy', `${escapeControls(what)}.`, { where: file, fix, cause });
}
