import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { computeCrc32c, decodeTfRecords, encodeTfRecord } from '../../src/formats/tfevents.ts';

const anyRecords = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });

describe('decodeTfRecords', () => {
  it('returns what was written, whole or truncated at any byte', () => {
    fc.assert(
      fc.property(anyRecords, fc.nat(), (data, anyLength) => {
        const written = data.map(encodeTfRecord);
        const offsets = [0];
        for (const record of written) offsets.push(offsets.at(-1)! + record.length);
        const file = Buffer.concat(written);
        const length = anyLength % (file.length + 1);
        const whole = offsets.filter((offset) => offset <= length).length - 1;

        const { records, truncatedAt } = decodeTfRecords(file.subarray(0, length), 'a');
        expect(records.map((record) => [record.offset, [...record.data]])).toEqual(
          data.slice(0, whole).map((bytes, i) => [offsets[i], [...bytes]]),
        );
        expect(truncatedAt).toBe(offsets[whole] === length ? null : offsets[whole]);
      }),
      { seed: 2020 },
    );
  });

  it('refuses every changed bit, naming its record', () => {
    const file = Buffer.concat([encodeTfRecord(Buffer.from('one')), encodeTfRecord(Buffer.from('two'))]);
    for (let bit = 0; bit < 8 * file.length; bit++) {
      const changed = Uint8Array.from(file);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const message = bit < 8 * 12 ? /not a TFRecord file/ : bit < 8 * 19 ? /at byte 0,/ : /at byte 19,/;
      expect(() => decodeTfRecords(changed, 'events'), `bit ${bit}`).toThrow(message);
    }
  });

  it('treats any length beyond the end as truncation, and reserves nothing for it', () => {
    // The length 2^64 - 1 with its correct checksum, computed with Debian's python3-crc32c.
    const hostile = Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 0xa6, 0x7b, 0x11, 0x3a, 1, 2, 3, 4);
    expect(decodeTfRecords(hostile, 'events')).toEqual({ records: [], truncatedAt: 0 });
  });
});

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
