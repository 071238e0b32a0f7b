import { expect, test } from 'vitest';
import { unpackLz4 } from '../../../src/data/events/lz4.ts';

const bytesOf = (hex: string) => Uint8Array.from(hex.split(' '), (byte) => Number.parseInt(byte, 16));
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Descriptor and checksum; 5 literals; a literal, 5 bytes from 6 back, 5 literals; 5 bytes unpacked; the end and a checksum. python3-lz4 reads it. */
const LINKED = bytesOf(
  '04 22 4d 18 44 40 5e 06 00 00 00 50 73 70 69 6b 65 0a 00 00 00 11 20 06 00 50 73 20 69 6e 20 ' +
    '05 00 00 80 74 69 6d 65 2e 00 00 00 00 a9 4d 5f 71',
);

test('a block may repeat what is in an earlier one, and need not be packed', () => {
  expect(textOf(unpackLz4(LINKED, 1 << 20))).toBe('spike spikes in time.');
});

test('a long run repeats a byte that it has just written', () => {
  // 1 literal, then 15 + 255 + 0 + 4 bytes from 1 back, then 1 literal.
  const run = bytesOf('04 22 4d 18 40 40 c0 08 00 00 00 1f 61 01 00 ff 00 10 62 00 00 00 00');
  expect(textOf(unpackLz4(run, 276))).toBe(`${'a'.repeat(275)}b`);
  expect(() => unpackLz4(run, 275)).toThrow('too much');
});

test('a frame that is cut anywhere, or has any byte changed or one more, is refused', () => {
  for (let at = 0; at < LINKED.length; at++) {
    expect(() => unpackLz4(LINKED.subarray(0, at), 1 << 20), `cut at ${at}`).toThrow(RangeError);
    const changed = LINKED.map((byte, i) => (i === at ? byte ^ 0x10 : byte));
    expect(() => unpackLz4(changed, 1 << 20), `byte ${at}`).toThrow(RangeError);
  }
  expect(() => unpackLz4(Uint8Array.of(...LINKED, 0), 1 << 20)).toThrow('more bytes follow');
});
