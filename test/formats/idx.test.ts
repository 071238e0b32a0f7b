import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ReproError } from '../../src/base/errors.ts';
import { decodeIdx as decodeIdxUpTo } from '../../src/formats/idx.ts';
import { expectReadOrRefused } from '../support/damaged-bytes.ts';

const decodeIdx = (bytes: Uint8Array, file: string, limitBytes = 1 << 20) =>
  decodeIdxUpTo(bytes, file, limitBytes);

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
    expect(decodeIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4), 'labels')).toMatchObject({
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
    ['floats', [0, 0, 13, 1], 'idx-header', 'type 0x0d, not 0x08'],
    ['no dimensions', [0, 0, 8, 0], 'idx-header', 'the number of dimensions is 0'],
    [
      'more than can be',
      [0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255],
      'idx-size',
      'but there are 12',
    ],
    ['a missing number', [0, 0, 8, 1, 0, 0, 0, 2, 1], 'idx-size', '10 bytes, but there are 9'],
    ['a number too many', [0, 0, 8, 1, 0, 0, 0, 1, 1, 1], 'idx-size', '9 bytes, but there are 10'],
  ])('rejects %s', (_, bytes, code, message) => {
    const error = expect.objectContaining({ code, message: expect.stringContaining(message) });
    expect(() => decodeIdx(Uint8Array.from(bytes), 'a')).toThrow(error);
  });

  test('unpacks no more than the limit', () => {
    const bomb = gzipSync(Buffer.concat([Buffer.from([0, 0, 8, 1, 0, 0, 0, 1]), Buffer.alloc(100_000_000)]));
    expect(() => decodeIdx(bomb, 'a')).toThrow(
      expect.objectContaining({ code: 'idx-size', message: 'it unpacks to more than 1,048,576 bytes.' }),
    );
    expect(decodeIdx(gzip, 'a', plain.length).shape).toEqual([2, 3, 4]);
    expect(() => decodeIdx(gzip, 'a', plain.length - 1)).toThrow(
      expect.objectContaining({ code: 'idx-size' }),
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
    expectReadOrRefused(
      bytes,
      (copy) => decodeIdx(copy, 'a'),
      ({ shape, data }) => {
        expect(data).toHaveLength(shape.reduce((product, size) => product * size, 1));
      },
    );
  });
});
