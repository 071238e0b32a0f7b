import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { decodeNpy, encodeNpy, type NpyArray } from '../../src/formats/npy.ts';
import { NpyCountsWriter, openNpy } from '../../src/formats/npy-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

/** The first 128 bytes that NumPy 2.2 writes, the dictionary padded with spaces. */
function numpyHeader(dictionary: string): Buffer {
  return Buffer.from(`\x93NUMPY\x01\x00v\x00${dictionary.padEnd(117)}\n`, 'latin1');
}

function withHeader(dictionary: string, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  return Buffer.concat([numpyHeader(dictionary), data]);
}

describe('the bytes of a .npy file', () => {
  test.each<[string, NpyArray, string, number[]]>([
    [
      'uint8 matrix',
      { dtype: 'uint8', shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) },
      "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }",
      [1, 2, 3, 4, 5, 6],
    ],
    [
      'uint16 vector',
      { dtype: 'uint16', shape: [2], data: Uint16Array.of(1, 0x0203) },
      "{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }",
      [1, 0, 3, 2],
    ],
    [
      'float32 scalar',
      { dtype: 'float32', shape: [], data: Float32Array.of(1) },
      "{'descr': '<f4', 'fortran_order': False, 'shape': (), }",
      [0, 0, 128, 63],
    ],
    [
      'int64 without rows',
      { dtype: 'int64', shape: [0, 3], data: new BigInt64Array(0) },
      "{'descr': '<i8', 'fortran_order': False, 'shape': (0, 3), }",
      [],
    ],
  ])('equal NumPy’s for a %s, and are read back', (_, array, dictionary, data) => {
    const bytes = encodeNpy(array);
    expect(Buffer.from(bytes)).toEqual(Buffer.concat([numpyHeader(dictionary), Uint8Array.from(data)]));
    expect(decodeNpy(bytes)).toEqual(array);
  });

  test('may have the header’s keys in another order', () => {
    const bytes = withHeader("{'shape': (1,), 'fortran_order': False, 'descr': '|i1'}", Uint8Array.of(255));
    expect(decodeNpy(bytes)).toEqual({ dtype: 'int8', shape: [1], data: Int8Array.of(-1) });
  });

  const good = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }";
  test.each<[string, Uint8Array, string]>([
    ['another magic', Buffer.from('PK\x03\x04......'), 'expected a .npy file'],
    ['nothing', new Uint8Array(0), 'expected a .npy file'],
    ['format 2.0', Buffer.from('\x93NUMPY\x02\x00v\x00\x00\x00', 'latin1'), 'its format is 2.0'],
    ['a truncated header', numpyHeader(good).subarray(0, 60), 'ends inside its header'],
    ['a header of 60 kB', Buffer.from('\x93NUMPY\x01\x00\xff\xff', 'latin1'), 'claims 65545 bytes'],
    ['big-endian elements', withHeader(good.replace('|u1', '>u2')), 'is not supported'],
    ['objects', withHeader(good.replace('|u1', '|O')), 'is not supported'],
    ['Fortran order', withHeader(good.replace('False', 'True')), 'fortran_order is True'],
    ['code in its header', withHeader(good.replace('(2,)', 'exit()')), 'cannot be parsed'],
    ['a key twice', withHeader(good.replace("'shape'", "'descr'")), 'cannot be parsed'],
    ['an extra key', withHeader(good.replace(', }', ", 'x': True, }")), 'nothing else'],
    ['no shape', withHeader("{'descr': '|u1', 'fortran_order': False, }"), 'must have'],
    ['a shape that is not a tuple', withHeader(good.replace('(2,)', '(2)')), 'shape (2)'],
    ['an absurd shape', withHeader(good.replace('(2,)', '(9999999999, 9999999999)')), 'too large'],
    ['too little data', withHeader(good, Uint8Array.of(1)), 'takes 130 bytes, but the file has 129'],
    ['too much data', withHeader(good, Uint8Array.of(1, 2, 3)), 'but the file has 131'],
  ])('with %s are refused', (_, bytes, message) => {
    expect(() => decodeNpy(bytes, 'a.npy')).toThrow(
      expect.objectContaining({ code: 'npy', message: expect.stringContaining(message) }),
    );
  });
});

describe('reading rows', () => {
  test('returns the given rows in their order', async () => {
    const file = path.join(folder, 'a.npy');
    const data = Uint16Array.from({ length: 12 }, (_, i) => i * 300);
    await writeFile(file, encodeNpy({ dtype: 'uint16', shape: [3, 2, 2], data }));
    const reader = await openNpy(file);
    expect([reader.shape, reader.dtype]).toEqual([[3, 2, 2], 'uint16']);
    expect(await reader.readRows([2, 0, 2])).toEqual(
      Uint16Array.of(2400, 2700, 3000, 3300, 0, 300, 600, 900, 2400, 2700, 3000, 3300),
    );
    await expect(reader.readRows([3])).rejects.toThrow(RangeError);
    await reader.close();
  });

  test('refuses to open a truncated file', async () => {
    const file = path.join(folder, 'a.npy');
    const bytes = encodeNpy({ dtype: 'uint8', shape: [4], data: new Uint8Array(4) });
    await writeFile(file, bytes.subarray(0, 130));
    await expect(openNpy(file)).rejects.toMatchObject({ code: 'npy' });
  });
});

describe('writing rows of counts', () => {
  async function written(write: (writer: NpyCountsWriter) => Promise<void>): Promise<NpyArray> {
    const file = path.join(folder, 'counts.npy');
    await write(await NpyCountsWriter.create(file, [2, 2]));
    return decodeNpy(await readFile(file), file);
  }

  test('rows are a uint8 array while they fit', async () => {
    const array = await written(async (writer) => {
      await writer.write(0, Uint32Array.of(1, 2, 3, 255));
      await writer.write(1, Uint32Array.of(5, 6, 7, 8));
      await writer.finish();
    });
    expect(array).toEqual({
      dtype: 'uint8',
      shape: [2, 2, 2],
      data: Uint8Array.of(1, 2, 3, 255, 5, 6, 7, 8),
    });
  });

  test('rows may come in any order, and a larger count widens the others', async () => {
    const array = await written(async (writer) => {
      await writer.write(2, Uint32Array.of(1, 2, 3, 255));
      await writer.write(0, Uint32Array.of(256, 0, 0, 9));
      await writer.write(3, Uint32Array.of(70_000, 1, 1, 1));
      await writer.finish(5);
    });
    expect(array).toEqual({
      dtype: 'uint32',
      shape: [5, 2, 2],
      data: Uint32Array.of(256, 0, 0, 9, 0, 0, 0, 0, 1, 2, 3, 255, 70_000, 1, 1, 1, 0, 0, 0, 0),
    });
  });

  test('an unfinished file is not read as an array', async () => {
    const file = path.join(folder, 'counts.npy');
    const writer = await NpyCountsWriter.create(file, [1]);
    await writer.write(0, Uint32Array.of(1));
    await expect(openNpy(file)).rejects.toMatchObject({ code: 'npy' });
    await writer.abandon();
    await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('a file without rows can be written', async () => {
    const array = await written((writer) => writer.finish());
    expect(array).toEqual({ dtype: 'uint8', shape: [0, 2, 2], data: new Uint8Array(0) });
  });
});
