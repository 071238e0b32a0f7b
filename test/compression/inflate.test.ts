import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { canHold, inflateStart, inflateWhole } from '../../src/compression/inflate.ts';

const text = Buffer.from('a text that is packed');
const zeros = Buffer.alloc(20_000_000);
const kinds = [
  ['zlib', deflateSync],
  ['gzip', gzipSync],
] as const;

describe.each(kinds)('what is packed with %s', (wrapping, pack) => {
  test('is unpacked up to the limit, with how many bytes it took', () => {
    const packed = pack(text);
    const followed = Buffer.concat([packed, Buffer.alloc(3)]);
    const whole = { bytes: text, used: packed.length };
    expect(inflateWhole(packed, wrapping, text.length)).toEqual(whole);
    expect(inflateWhole(followed, wrapping, 1000)).toEqual(whole);
    expect(inflateWhole(packed, wrapping, text.length - 1)).toBe('too long');
  });

  test('may be nothing', () => {
    const packed = pack(Buffer.alloc(0));
    expect(inflateWhole(packed, wrapping, 0)).toEqual({ bytes: Buffer.alloc(0), used: packed.length });
    expect(inflateStart(packed, wrapping, 10, 1000)).toHaveLength(0);
    expect(inflateWhole(pack(Buffer.from('x')), wrapping, 0)).toBe('too long');
  });

  test('is unpacked no further than wanted, however small it is packed', () => {
    const packed = pack(Buffer.concat([text, zeros]));
    expect(packed.length).toBeLessThan(30_000);
    const start = inflateStart(packed, wrapping, text.length, 4096);
    expect(Buffer.from(start.subarray(0, text.length))).toEqual(text);
    expect(start.length).toBeLessThan(150_000);
    expect(inflateStart(pack(text), wrapping, 1000, 4096)).toEqual(text);
  });

  test('is an error if it is damaged or ends too early', () => {
    const packed = pack(text);
    expect(() => inflateWhole(packed.subarray(0, -1), wrapping, 1000)).toThrow('unexpected end of file');
    expect(() => inflateWhole(text, wrapping, 1000)).toThrow('incorrect header check');
    expect(() => inflateStart(text, wrapping, 1, 1000)).toThrow('incorrect header check');
  });

  test('never unpacks to more than `canHold` allows', () => {
    expect(canHold(pack(zeros).length, zeros.length)).toBe(true);
    expect(canHold(10, 10_321)).toBe(false);
  });
});
