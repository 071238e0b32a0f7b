import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ReproError } from '../../src/base/errors.ts';
import { readMat5 as readWanted } from '../../src/formats/mat5.ts';
import { expectReadOrRefused } from '../support/damaged-bytes.ts';

const fixtures = new URL('../fixtures/formats/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, fixtures));
const plain = read('classes.mat');
const compressed = read('classes-compressed.mat');
const expected: Record<string, { shape: number[]; data: string[] }> = JSON.parse(
  read('expected.json').toString(),
)['classes.mat'];

const toValue = (text: string): number => (text === 'inf' ? Number.POSITIVE_INFINITY : Number(text));
const NUMERIC = [...Object.keys(expected), 'cube', 'logical', 'nothing', 'scalar'];
const readMat5 = (bytes: Uint8Array, wanted = NUMERIC, limitBytes = 1 << 30) =>
  readWanted(bytes, 'a.mat', wanted, limitBytes);

/** A file of one compressed element. */
function compressedFile(contents: Uint8Array): Buffer {
  const packed = deflateSync(contents);
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(15, 0);
  tag.writeUInt32LE(packed.length, 4);
  return Buffer.concat([plain.subarray(0, 128), tag, packed]);
}

/** A [length, 1] array of bytes, named `x`, as an element with its tag. */
function byteArray(length: number, there = length): Buffer {
  const start = Buffer.alloc(64);
  [14, 48 + 8 * Math.ceil(length / 8), 6, 8, 9, 0, 5, 8, length, 1, (1 << 16) | 1, 0x78, 2, length].forEach(
    (word, i) => {
      start.writeUInt32LE(word, i * 4);
    },
  );
  return Buffer.concat([start.subarray(0, 56), Buffer.alloc(8 * Math.ceil(there / 8), 1)]);
}

describe('reading MATLAB 5', () => {
  test.each([
    ['plain', plain],
    ['compressed', compressed],
  ])('gives every class of numbers as scipy wrote it, %s', (_, bytes) => {
    const arrays = readMat5(bytes);
    for (const [name, { shape, data }] of Object.entries(expected)) {
      const array = arrays.get(name);
      expect(array?.shape, name).toEqual(shape);
      expect([...(array?.data ?? [])], name).toEqual(data.map(toValue));
    }
  });

  test('gives logical arrays as 0 and 1, empty ones and more dimensions', () => {
    const arrays = readMat5(compressed);
    expect(arrays.get('logical')).toEqual({ shape: [1, 3], data: Float64Array.of(1, 0, 1) });
    expect(arrays.get('nothing')).toEqual({ shape: [0, 0], data: new Float64Array(0) });
    expect(arrays.get('scalar')).toEqual({ shape: [1, 1], data: Float64Array.of(7) });
    const cube = arrays.get('cube');
    expect(cube?.shape).toEqual([2, 3, 4]);
    // Element [1, 2, 3] of np.arange(24).reshape(2, 3, 4); here the first index changes fastest.
    expect(cube?.data[1 + 2 * 2 + 3 * 6]).toBe(23);
    expect(cube?.data[1]).toBe(12);
  });

  test.each([
    ['cell', 'is not an array of real'],
    ['complex', 'is not an array of real'],
    ['absent', 'is missing; the file contains "double", "single"'],
  ])('rejects %s if it is wanted', (name, message) => {
    expect(() => readMat5(plain, [name])).toThrow(
      expect.objectContaining({ code: 'mat5-variable', message: expect.stringContaining(message) }),
    );
  });
});

describe('a file that is not MATLAB 5', () => {
  const unknown = Buffer.from(plain).fill(3, 125, 126);
  test.each([
    ['empty', new Uint8Array(0), 'does not start with `MATLAB`'],
    ['version 7.3', Buffer.from('MATLAB 7.3 MAT-file, Platform'.padEnd(600)), 'MATLAB 7.3 file (HDF5)'],
    ['HDF5 without MATLAB’s text', Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), 'MATLAB 7.3 file (HDF5)'],
    ['something else', Buffer.from('x,y\n1,2\n'), 'does not start with `MATLAB`'],
    ['cut off in its header', plain.subarray(0, 100), 'ends after 100'],
    ['big-endian', read('narrow-big-endian.mat'), 'not a little-endian file of version 1.0'],
    ['of an unknown version', unknown, 'not a little-endian file of version 1.0'],
  ])('%s is named', (_, bytes, message) => {
    expect(() => readMat5(bytes)).toThrow(
      expect.objectContaining({ code: 'mat5-header', message: expect.stringContaining(message) }),
    );
  });
});

describe('a damaged MATLAB 5 file', () => {
  test('that claims more than it unpacks to is rejected, and so is one beyond the limit', () => {
    expect(() => readMat5(compressedFile(byteArray(100_000_000, 8)), ['x'])).toThrow(
      expect.objectContaining({
        code: 'mat5-truncated',
        where: 'a.mat: byte 0 of the compressed variable at byte 128',
      }),
    );
    const bytes = compressedFile(byteArray(8000));
    expect(readMat5(bytes, ['x']).get('x')?.data).toHaveLength(8000);
    expect(() => readMat5(bytes, ['x'], 1000)).toThrow(
      expect.objectContaining({ code: 'mat5-element', where: 'a.mat: byte 128' }),
    );
  });

  test.each([
    ['plain', plain, NUMERIC],
    ['compressed', compressed, NUMERIC],
  ])('cut at any byte is an error, unless only padding is missing, %s', (_, bytes, wanted) => {
    const whole = readMat5(bytes, wanted);
    for (let cut = 0; cut < bytes.length; cut++) {
      try {
        expect(readMat5(bytes.subarray(0, cut), wanted)).toEqual(whole);
        expect(bytes.length - cut).toBeLessThan(8);
      } catch (error) {
        expect(error, `cut at ${cut}`).toBeInstanceOf(ReproError);
      }
    }
  });

  test.each([
    ['plain', plain],
    ['compressed', compressed],
  ])('with any byte changed is read, or rejected with a reason, %s', (_, bytes) => {
    expectReadOrRefused(
      bytes,
      (copy) => readMat5(copy),
      (arrays) => {
        for (const { shape, data } of arrays.values()) {
          expect(data).toHaveLength(shape.reduce((product, size) => product * size, 1));
        }
      },
    );
  });
});
