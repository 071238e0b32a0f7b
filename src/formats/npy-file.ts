import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { ReproError } from '../base/errors.ts';
import { openRegular } from '../base/files/regular-file.ts';
import { packZip } from '../base/files/zip-file.ts';
import {
  bytesPerElement,
  type CountType,
  checkNpySize,
  decodeNpyHeader,
  encodeNpy,
  encodeNpyHeader,
  LARGEST_NPY_HEADER_BYTES,
  type NpyData,
  newNpyData,
  npyDataFromBytes,
} from './npy.ts';
import { countElements, type State, type Tensor } from './tensor.ts';

/**
 * Opens a file of any size to read single rows, its first dimension, into one array in the order in which they are asked for.
 *
 * @throws {ReproError} `npy` if it is truncated or not supported
 */
export async function openNpy(path: string) {
  const handle = await openRegular(path);
  try {
    const { size } = await handle.stat();
    const head = await readAt(handle, 0, Math.min(size, LARGEST_NPY_HEADER_BYTES), path);
    const header = decodeNpyHeader(head, path);
    checkNpySize(path, header, size);
    const { shape, dtype, dataOffset } = header;
    if (shape.length === 0) throw new ReproError('npy', 'expected rows, found a scalar.', { where: path });
    const rowBytes = countElements(shape.slice(1)) * bytesPerElement(dtype);
    const readRows = async (indices: readonly number[]): Promise<NpyData> => {
      const bytes = new Uint8Array(indices.length * rowBytes);
      for (const [position, index] of indices.entries()) {
        if (!Number.isInteger(index) || index < 0 || index >= shape[0]!) {
          throw new RangeError(`${path}: no row ${index} among ${shape[0]}`);
        }
        const row = bytes.subarray(position * rowBytes, (position + 1) * rowBytes);
        await fill(handle, row, dataOffset + index * rowBytes, path);
      }
      return npyDataFromBytes(dtype, bytes);
    };
    return { shape, dtype, readRows, close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readAt(handle: FileHandle, offset: number, length: number, path: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await fill(handle, bytes, offset, path);
  return bytes;
}

async function fill(handle: FileHandle, bytes: Uint8Array, offset: number, path: string): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, offset + done);
    if (bytesRead === 0) {
      throw new ReproError('npy', 'the file shrank while it was read.', {
        where: `${path}: byte ${offset + done}`,
        fix: 'Rerun the stage that made it.',
      });
    }
    done += bytesRead;
  }
}

/** Element types in the order a writer widens them. */
const WIDTHS: readonly CountType[] = ['uint8', 'uint16', 'uint32'];
/** Bytes of rows held in memory while a file is widened. */
const WIDEN_BYTES = 4 << 20;

/**
 * Writes rows of counts in any order, in the smallest of uint8, uint16 and uint32 that holds them: it starts with uint8 and
 * rewrites the file when a count does not fit. Rows never written are zeros. The header is written last, so that no reader
 * mistakes an unfinished file for an array.
 */
export class NpyCountsWriter {
  readonly #path: string;
  readonly #rowShape: readonly number[];
  #handle: FileHandle;
  #dtype: CountType = 'uint8';
  #rows = 0;

  private constructor(path: string, rowShape: readonly number[], handle: FileHandle) {
    this.#path = path;
    this.#rowShape = rowShape;
    this.#handle = handle;
  }

  static async create(path: string, rowShape: readonly number[]): Promise<NpyCountsWriter> {
    return new NpyCountsWriter(path, rowShape, await open(path, 'w+'));
  }

  get dtype(): CountType {
    return this.#dtype;
  }

  /** Writes one row. @param counts [...rowShape], C order; in a narrow array, they are taken to need all of its width */
  async write(row: number, counts: NpyData<CountType>): Promise<void> {
    const largest = counts instanceof Uint32Array ? maximum(counts) : 2 ** (8 * counts.BYTES_PER_ELEMENT) - 1;
    await this.widen(largest <= 0xff ? 'uint8' : largest <= 0xffff ? 'uint16' : 'uint32');
    await writeAll(this.#handle, asBytes(this.#inOwnType(counts)), this.#rowOffset(row, this.#dtype));
    this.#rows = Math.max(this.#rows, row + 1);
  }

  #inOwnType(counts: NpyData<CountType>): NpyData {
    if (counts.BYTES_PER_ELEMENT === bytesPerElement(this.#dtype)) return counts;
    const data = newNpyData(this.#dtype, counts.length);
    data.set(counts);
    return data;
  }

  /** Widens the elements to at least this type. */
  async widen(dtype: CountType): Promise<void> {
    if (WIDTHS.indexOf(dtype) <= WIDTHS.indexOf(this.#dtype)) return;
    const widerPath = `${this.#path}.wider`;
    const wider = await open(widerPath, 'w+');
    try {
      const rowLength = countElements(this.#rowShape);
      const atOnce = Math.max(1, Math.floor(WIDEN_BYTES / (rowLength * bytesPerElement(dtype))));
      for (let row = 0; row < this.#rows; row += atOnce) {
        const length = Math.min(atOnce, this.#rows - row) * rowLength;
        const bytes = await readAt(
          this.#handle,
          this.#rowOffset(row, this.#dtype),
          length * bytesPerElement(this.#dtype),
          this.#path,
        );
        const data = newNpyData(dtype, length);
        data.set(npyDataFromBytes(this.#dtype, bytes));
        await writeAll(wider, asBytes(data), this.#rowOffset(row, dtype));
      }
    } catch (error) {
      await wider.close();
      await rm(widerPath, { force: true });
      throw error;
    }
    await this.#handle.close();
    await rename(widerPath, this.#path);
    this.#handle = wider;
    this.#dtype = dtype;
  }

  /** Writes the header and closes the file. @param rows needed if the last rows were never written */
  async finish(rows = this.#rows): Promise<void> {
    await this.#handle.truncate(this.#rowOffset(rows, this.#dtype));
    await writeAll(this.#handle, encodeNpyHeader(this.#dtype, [rows, ...this.#rowShape]), 0);
    await this.#handle.close();
  }

  /** Closes the file and removes it. */
  async abandon(): Promise<void> {
    await this.#handle.close();
    await rm(this.#path, { force: true });
  }

  #rowOffset(row: number, dtype: CountType): number {
    const dataOffset = encodeNpyHeader(dtype, [0, ...this.#rowShape]).length;
    return dataOffset + row * countElements(this.#rowShape) * bytesPerElement(dtype);
  }
}

function asBytes(data: NpyData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function maximum(counts: Uint32Array): number {
  let largest = 0;
  for (const count of counts) if (count > largest) largest = count;
  return largest;
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
}

/**
 * Encodes an `.npz` as NumPy's `savez` writes it: an uncompressed zip with one `.npy` per tensor. `numpy.load` returns them
 * under their names.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.savez.html
 */
export async function encodeNpz(tensors: State): Promise<Uint8Array> {
  const entries = [...tensors].map(([name, tensor]) => [`${name}.npy`, encodeTensor(tensor)] as const);
  return new Uint8Array(await buffer(packZip(entries)));
}

function encodeTensor({ dtype, shape, data }: Tensor): Uint8Array {
  return encodeNpy({ dtype: dtype === 'F32' ? 'float32' : 'int64', shape, data: data.slice() });
}
