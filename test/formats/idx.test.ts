import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReproError } from '../../src/errors.ts';
import { decodeIdx } from '../../src/formats/idx.ts';

const fixtures = new URL('../fixtures/formats/', import.meta.url);
const plain = readFileSync(new URL('images-idx3-ubyte', fixtures));
const gzip = readFileSync(new URL('images-idx3-ubyte.gz', fixtures));
const images = { shape: [2, 3, 4], data: Uint8Array.from({ length: 24 }, (_, i) => 7 * i) };

describe('reading IDX', () => {
  test.each([
    ['plain', plain],
    ['gzip-compressed', gzip],
  ])('gives shape and bytes, %s', (_, bytes) => {
    const { shape, data } = decodeIdx(bytes, 'images');
    expect({ shape, data: Uint8Array.from(data) }).toEqual(images);
  });

  test('gives labels, worked by hand, also none', () => {
    expect(decodeIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4), 'labels')).toEqual({
      shape: [3],
      data: Uint8Array.of(5, 0, 4),
    });
    expect(decodeIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 0), 'labels').data).toHaveLength(0);
    expect(decodeIdx(gzipSync(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 0)), 'labels').data).toHaveLength(0);
  });

  test.each([
    ['an empty file', [], 'idx-header', 'the file is empty'],
    ['three bytes', [0, 0, 8], 'idx-header', 'ends within its header'],
    ['another magic', [0x89, 0x50, 0x4e, 0x47, 1], 'idx-header', 'starts with 89 50 4e 47'],
    ['signed bytes', [0, 0, 9, 1, 0, 0, 0, 1, 1], 'idx-header', 'signed bytes (0x09)'],
    ['16-bit integers', [0, 0, 11, 1, 0, 0, 0, 1, 1, 1], 'idx-header', '16-bit integers (0x0b)'],
    ['32-bit integers', [0, 0, 12, 1], 'idx-header', '32-bit integers (0x0c)'],
    ['32-bit floats', [0, 0, 13, 1], 'idx-header', '32-bit floats (0x0d)'],
    ['64-bit floats', [0, 0, 14, 1], 'idx-header', '64-bit floats (0x0e)'],
    ['an unknown type', [0, 0, 10, 1], 'idx-header', '0x0a is not a number type'],
    ['no dimensions', [0, 0, 8, 0], 'idx-header', 'the number of dimensions is 0'],
    [
      'impossible dimensions',
      [0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255],
      'idx-header',
      'impossibly large',
    ],
    ['a missing number', [0, 0, 8, 1, 0, 0, 0, 2, 1], 'idx-size', '10 bytes, but there are 9'],
    ['a number too many', [0, 0, 8, 1, 0, 0, 0, 1, 1, 1], 'idx-size', '9 bytes, but there are 10'],
  ])('rejects %s', (_, bytes, code, message) => {
    const error = expect.objectContaining({ code, message: expect.stringContaining(message) });
    expect(() => decodeIdx(Uint8Array.from(bytes), 'a')).toThrow(error);
  });

  test('stops a compressed file at the size that its dimensions ask for', () => {
    const bomb = gzipSync(Buffer.concat([Buffer.from([0, 0, 8, 1, 0, 0, 0, 1]), Buffer.alloc(100_000_000)]));
    expect(() => decodeIdx(bomb, 'a')).toThrow(
      expect.objectContaining({
        code: 'idx-size',
        message: expect.stringContaining('are 9 bytes, but more follows'),
      }),
    );
  });

  test('rejects a size beyond the limit after the header, whatever follows it', () => {
    const header = Buffer.from([0, 0, 8, 3, 0, 0x1e, 0x84, 0x80, 0, 0, 0, 28, 0, 0, 0, 28]);
    // Most of what follows the header cannot be unpacked, so an attempt would be another error.
    const packed = gzipSync(Buffer.concat([header, Buffer.alloc(2_000_000)]), { level: 0 });
    packed.fill(0xff, 10_000);
    for (const bytes of [header, packed]) {
      expect(() => decodeIdx(bytes, 'a', 470_400_016)).toThrow(
        expect.objectContaining({
          code: 'idx-size',
          where: 'a',
          message:
            '2000000 x 28 x 28 numbers and their header are 1,568,000,016 bytes, but at most 470,400,016 are read.',
        }),
      );
    }
    expect(decodeIdx(plain, 'a', plain.length).shape).toEqual([2, 3, 4]);
    expect(decodeIdx(gzip, 'a', plain.length).shape).toEqual([2, 3, 4]);
    expect(() => decodeIdx(gzip, 'a', plain.length - 1)).toThrow(
      expect.objectContaining({ code: 'idx-size' }),
    );
  });

  test('rejects dimensions that the compressed bytes cannot hold before unpacking them', () => {
    expect(() => decodeIdx(gzipSync(Buffer.from([0, 0, 8, 1, 255, 255, 255, 255, 1])), 'a')).toThrow(
      expect.objectContaining({
        code: 'idx-size',
        message: expect.stringContaining('cannot hold that much'),
      }),
    );
  });

  test('rejects what follows the compressed data', () => {
    expect(() => decodeIdx(Buffer.concat([gzip, Buffer.from('x')]), 'a')).toThrow(
      expect.objectContaining({ code: 'idx-gzip' }),
    );
  });

  test.each([
    ['plain', plain],
    ['compressed', gzip],
  ])('rejects a file cut at any byte, %s', (_, bytes) => {
    for (let cut = 0; cut < bytes.length; cut++) {
      expect(() => decodeIdx(bytes.subarray(0, cut), 'a'), `cut at ${cut}`).toThrow(ReproError);
    }
  });

  test.each([
    ['plain', plain],
    ['compressed', gzip],
  ])('reads or rejects a file with any byte changed, %s', (_, bytes) => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (position, change) => {
        const copy = Uint8Array.from(bytes);
        copy[position]! ^= change;
        try {
          const { shape, data } = decodeIdx(copy, 'a');
          expect(data).toHaveLength(shape.reduce((product, size) => product * size, 1));
        } catch (error) {
          expect(error).toBeInstanceOf(ReproError);
        }
      }),
      { seed: 2020, numRuns: 500 },
    );
  });
});
