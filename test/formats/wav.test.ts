import { describe, expect, test } from 'vitest';
import { decodeWav, encodeWav } from '../../src/formats/wav.ts';
import { expectReadOrRefused } from '../support/damaged-bytes.ts';
import { chunk, float, fmt, riff, u16, u32, type WavFormat, wav } from '../support/wav-fixture.ts';

/** What follows in `fmt ` for the format 0xfffe: bits that count, places of the speakers, and a GUID that begins with the format. */
const extension = (kind: number) =>
  Buffer.concat([u16(22, 16), u32(0), u16(kind), Buffer.from('000000001000800000aa00389b71', 'hex')]);

const read = (bytes: Uint8Array) => decodeWav(bytes, 'a.wav');
const samplesOf = (bytes: Uint8Array) => [...read(bytes).samples];

/** Code, place and words of the error, and that it tells how to mend the file. */
function expectRefused(bytes: Uint8Array, code: string, at: number, ...words: readonly string[]): void {
  expect(() => read(bytes)).toThrow(
    expect.objectContaining({
      code,
      where: `a.wav: byte ${at}`,
      fix: expect.stringMatching(/get it again|Convert/),
    }),
  );
  for (const word of words) expect(() => read(bytes)).toThrow(word);
}

describe('samples are read', () => {
  test.each([
    ['8 bits, unsigned', { bits: 8 }, Buffer.of(0, 64, 128, 255), [-1, -0.5, 0, 127 / 128]],
    ['16 bits', {}, u16(0x8000, 0xc000, 0, 1, 0x7fff), [-1, -0.5, 0, 1 / 32768, 32767 / 32768]],
    [
      '24 bits',
      { bits: 24 },
      Buffer.of(0, 0, 0x80, 0xff, 0xff, 0xff, 1, 0, 0, 0xff, 0xff, 0x7f),
      [-1, -1 / 8388608, 1 / 8388608, 8388607 / 8388608],
    ],
    [
      '32 bits',
      { bits: 32 },
      Buffer.concat([u32(0x80000000), u32(0xffffffff), u32(1), u32(0x40000000)]),
      [-1, -1 / 2147483648, 1 / 2147483648, 0.5],
    ],
    ['floats of 32 bits', { kind: 3, bits: 32 }, float(32, -1, 0.25, 1.5), [-1, 0.25, 1.5]],
    ['floats of 64 bits', { kind: 3, bits: 64 }, float(64, -0.1, 1e-9), [-0.1, 1e-9]],
  ])('with %s', (_, format, bytes, samples) => {
    expect(samplesOf(wav(format, bytes))).toEqual(samples);
  });

  test('at the rate of the header', () => {
    expect(read(wav({ rateHz: 44_100 }, u16(1))).rateHz).toBe(44_100);
  });

  test('as the mean of two and of three channels', () => {
    expect(samplesOf(wav({ channels: 2 }, u16(0x4000, 0, 0x4000, 0xc000)))).toEqual([0.25, 0]);
    expect(samplesOf(wav({ channels: 3, bits: 8 }, Buffer.of(128, 160, 192)))).toEqual([0.25]);
  });

  test('with the extensible header, of which the format inside counts', () => {
    const extensible = (kind: number, format: WavFormat, samples: Uint8Array) =>
      riff([
        chunk('fmt ', Buffer.concat([fmt({ kind: 0xfffe, ...format }), extension(kind)])),
        chunk('data', samples),
      ]);
    expect(samplesOf(extensible(1, {}, u16(0x4000)))).toEqual([0.5]);
    expect(samplesOf(extensible(3, { bits: 32 }, float(32, 0.125)))).toEqual([0.125]);
    expectRefused(extensible(2, {}, u16(0)), 'wav-format', 20, 'format 2 and 16 bits');
  });

  test('after a fmt of 18 bytes, unknown chunks, and a padding byte after a chunk of odd size', () => {
    const bytes = riff([
      chunk('LIST', Buffer.from('odd')),
      chunk('fmt ', Buffer.concat([fmt(), u16(0)])),
      chunk('fact', u32(1)),
      chunk('data', u16(0x4000)),
      chunk('junk', Buffer.from('after the samples')),
    ]);
    expect(samplesOf(bytes)).toEqual([0.5]);
  });

  test('of a view into a larger buffer', () => {
    const bytes = wav({}, u16(0x4000, 0x2000));
    const larger = new Uint8Array(bytes.length + 9);
    larger.set(bytes, 5);
    expect(samplesOf(larger.subarray(5, 5 + bytes.length))).toEqual([0.5, 0.25]);
  });

  test('of a sound without samples', () => {
    expect(samplesOf(wav({}, Buffer.of()))).toEqual([]);
  });
});

test('what is written is read again, to 16 bits, and what is beyond full scale is cut', () => {
  const bytes = encodeWav(8000, Float32Array.of(0, 0.5, -0.25, 1 / 0x8000, 1.5, -1.5));
  const values = u16(0, 0x4000, -0x2000 & 0xffff, 1, 0x7fff, 0x8000);
  expect(bytes).toEqual(wav({ rateHz: 8000 }, values));
  const samples = Float64Array.of(0, 0.5, -0.25, 1 / 0x8000, 0x7fff / 0x8000, -1);
  expect(decodeWav(bytes, 'a.wav')).toEqual({ rateHz: 8000, samples });
});

describe('a writer that did not know the size', () => {
  test.each([
    ['2^32 - 1', 2 ** 32 - 1, 2 ** 32 - 1],
    ['0, as is that of RIFF', 0, 0],
  ])('leaves %s, and the samples go to the end of the file', (_, size, all) => {
    const open = (samples: Uint8Array) => riff([chunk('fmt ', fmt()), chunk('data', samples, size)], all);
    expect(samplesOf(open(u16(0x4000, 0x2000)))).toEqual([0.5, 0.25]);
    // The last sample is half there.
    expect(samplesOf(open(Buffer.of(0, 0x40, 0)))).toEqual([0.5, 0]);
  });
});

describe('a file is refused', () => {
  test.each([
    ['that is empty', Buffer.of()],
    ['of another kind', Buffer.from('OggS\0\x02\0\0\0\0\0\0\0')],
    ['of RIFF without WAVE', Buffer.from('RIFF\x04\0\0\0AVI ')],
    ['that is big-endian', Buffer.from('RIFX\0\0\0\x04WAVE')],
  ])('%s', (_, bytes) => {
    expectRefused(new Uint8Array(bytes), 'wav-format', 0, 'RIFF and WAVE');
  });

  test('as RF64, and is to be converted', () => {
    const bytes = wav({}, u16(0));
    bytes.set(Buffer.from('RF64'));
    expectRefused(bytes, 'wav-format', 0, 'RF64');
    expect(() => read(bytes)).toThrow(
      expect.objectContaining({ fix: expect.stringContaining('16-bit PCM') }),
    );
  });

  test.each([
    ['A-law', { kind: 6, bits: 8 }],
    ['ADPCM', { kind: 2, bits: 4, frameBytes: 1 }],
    ['integers of 12 bits', { bits: 12, frameBytes: 2 }],
    ['integers of 64 bits', { bits: 64 }],
    ['floats of 16 bits', { kind: 3, bits: 16 }],
  ])('with %s', (_, format: WavFormat) => {
    const { kind = 1, bits = 16 } = format;
    expectRefused(
      wav(format, u16(0)),
      'wav-format',
      20,
      `format ${kind} and ${bits} bits`,
      '8, 16, 24 or 32',
    );
  });

  test.each([
    ['no channels', { channels: 0 }, '0 channels'],
    ['no bytes to a sample', { frameBytes: 0 }, '0 bytes'],
    ['other bytes to a sample than its channels have', { channels: 2, frameBytes: 2 }, '2 channels'],
    ['no rate', { rateHz: 0 }, '0 times a second'],
    ['a rate of gigahertz', { rateHz: 2 ** 31 - 1, frameBytes: 2 }, '2147483647 times a second'],
  ])('whose header has %s', (_, format: WavFormat, words) => {
    const bytes = wav({ ...format, rateHz: 1 }, u16(0));
    new DataView(bytes.buffer).setUint32(24, format.rateHz ?? 16_000, true);
    expectRefused(bytes, 'wav-format', 20, words);
  });

  test('with a fmt that is too short', () => {
    const bytes = riff([chunk('fmt ', fmt().subarray(0, 14)), chunk('data', u16(0))]);
    expectRefused(bytes, 'wav-format', 20, '14 bytes', '16 or more');
  });

  test('with samples before their format', () => {
    const bytes = riff([chunk('data', u16(0)), chunk('fmt ', fmt())]);
    expectRefused(bytes, 'wav-format', 12, 'before fmt');
  });

  test('without samples, or without a format', () => {
    expectRefused(riff([chunk('fmt ', fmt())]), 'wav-truncated', 36, 'chunks fmt and data');
    expectRefused(riff([]), 'wav-truncated', 12, 'chunks fmt and data');
  });

  test('that is cut off, with what is there and what should be', () => {
    const bytes = wav({}, u16(1, 2, 3, 4));
    expectRefused(bytes.subarray(0, -3), 'wav-truncated', 36, 'data', '5 bytes', 'expected 8');
    expectRefused(bytes.subarray(0, 24), 'wav-truncated', 12, 'fmt', '4 bytes', 'expected 16');
  });

  test('with a size that is too large', () => {
    const bytes = riff([chunk('fmt ', fmt()), chunk('data', u16(1), 2 ** 31)]);
    expectRefused(bytes, 'wav-truncated', 36, '2 bytes', `expected ${2 ** 31}`);
    const before = riff([chunk('LIST', u16(1), 1000), chunk('fmt ', fmt()), chunk('data', u16(1))]);
    expectRefused(before, 'wav-truncated', 12, 'LIST', 'expected 1000');
  });

  test('with part of a sample at its end', () => {
    expectRefused(wav({}, Buffer.of(1, 2, 3)), 'wav-truncated', 47, '3 bytes', 'samples of 2 bytes');
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1e200])('with the sample %d', (value) => {
    expectRefused(
      wav({ kind: 3, bits: 64 }, float(64, 0, value)),
      'wav-sample',
      52,
      'sample 1',
      String(value),
    );
  });
});

test('damaged bytes are read or refused by name', () => {
  expectReadOrRefused(wav({ kind: 3, bits: 32, channels: 2 }, float(32, 1, 2, 3, 4)), read, ({ samples }) => {
    for (const sample of samples) expect(Math.abs(sample)).toBeLessThan(2 ** 33);
  });
});
