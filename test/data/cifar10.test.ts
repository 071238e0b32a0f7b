import { describe, expect, test } from 'vitest';
import { ReproError } from '../../src/base/errors.ts';
import { decodeCifarBatch } from '../../src/data/images/cifar10.ts';
import { expectReadOrRefused } from '../support/damaged-bytes.ts';

const RECORD_BYTES = 3073;

/** Two images: label 3 with pixels 0, 1, 2, … and label 9 with pixels 255, 254, … */
function makeBatch(): Uint8Array {
  const bytes = new Uint8Array(2 * RECORD_BYTES);
  for (let i = 0; i < RECORD_BYTES - 1; i++) {
    bytes[1 + i] = i;
    bytes[RECORD_BYTES + 1 + i] = 255 - i;
  }
  bytes[0] = 3;
  bytes[RECORD_BYTES] = 9;
  return bytes;
}

describe('reading a batch of CIFAR-10', () => {
  test('gives labels and pixels, channel by channel', () => {
    const bytes = makeBatch();
    const { labels, pixels } = decodeCifarBatch(bytes, 'data_batch_1.bin');
    expect([...labels]).toEqual([3, 9]);
    expect(Buffer.from(pixels)).toEqual(
      Buffer.concat([bytes.subarray(1, RECORD_BYTES), bytes.subarray(RECORD_BYTES + 1)]),
    );
    // Green (channel 1) of the second image at row 2, column 5.
    expect(pixels[3072 + 1024 + 2 * 32 + 5]).toBe((255 - (1024 + 69)) & 255);
  });

  test.each([
    ['an empty file', new Uint8Array(0), 'cifar-size', 'a.bin: byte 0'],
    ['a byte too many', new Uint8Array(RECORD_BYTES + 1), 'cifar-size', `a.bin: byte ${RECORD_BYTES}`],
    [
      'a label beyond 9',
      makeBatch().fill(10, RECORD_BYTES, RECORD_BYTES + 1),
      'cifar-label',
      `a.bin: byte ${RECORD_BYTES}`,
    ],
  ])('rejects %s with the byte', (_, bytes, code, where) => {
    expect(() => decodeCifarBatch(bytes, 'a.bin')).toThrow(expect.objectContaining({ code, where }));
  });

  test('rejects a batch cut at any byte except between two images', () => {
    const bytes = makeBatch();
    for (let cut = 0; cut < bytes.length; cut++) {
      if (cut === RECORD_BYTES) {
        expect([...decodeCifarBatch(bytes.subarray(0, cut), 'a.bin').labels]).toEqual([3]);
      } else {
        expect(() => decodeCifarBatch(bytes.subarray(0, cut), 'a.bin'), `cut at ${cut}`).toThrow(ReproError);
      }
    }
  });

  test('reads or rejects a batch with any byte changed', () => {
    expectReadOrRefused(
      makeBatch(),
      (bytes) => decodeCifarBatch(bytes, 'a.bin'),
      ({ labels }) => {
        expect(labels.every((label) => label < 10)).toBe(true);
      },
    );
  });
});
