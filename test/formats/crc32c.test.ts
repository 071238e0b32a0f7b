import { describe, expect, it } from 'vitest';
import { computeCrc32c } from '../../src/formats/tfrecord.ts';

describe('computeCrc32c', () => {
  it.each([
    ['nothing', new Uint8Array(), 0],
    ['the check value in the CRC catalogue', new TextEncoder().encode('123456789'), 0xe3069283],
    ['32 zeros (RFC 3720)', new Uint8Array(32), 0x8a9136aa],
    ['32 bytes of ones (RFC 3720)', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['32 rising bytes (RFC 3720)', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['32 falling bytes (RFC 3720)', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ])('gives the published checksum of %s', (_, bytes, checksum) => {
    expect(computeCrc32c(bytes)).toBe(checksum);
  });
});
