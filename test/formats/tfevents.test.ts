import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReproError } from '../../src/base/errors.ts';
import {
  decodeEventFile,
  encodeEventFileHeader,
  encodeScalarEvents,
  encodeTfRecord,
  type ScalarEvent,
} from '../../src/formats/tfevents.ts';

interface Expected {
  readonly recordBytes: readonly number[];
  readonly scalars: readonly [tag: string, step: number, value: string, wallTimeSeconds: number][];
}

const folder = new URL('../fixtures/tensorboard/', import.meta.url);
const expected: Readonly<Record<'older' | 'newer', Expected>> = JSON.parse(
  readFileSync(new URL('expected.json', folder), 'utf8'),
);

/** A file written by Google's protobuf (make_events.py), and its content. */
function readMade(name: 'older' | 'newer') {
  const bytes = new Uint8Array(readFileSync(new URL(`events.out.tfevents.${name}`, folder)));
  const { recordBytes, scalars } = expected[name];
  return {
    bytes,
    recordBytes,
    scalars: scalars.map(([tag, step, value, wallTimeSeconds]) => ({
      tag,
      step,
      value: Number(value),
      wallTimeSeconds,
    })),
  };
}

const anyScalar: fc.Arbitrary<ScalarEvent> = fc.record({
  tag: fc.string({ unit: 'grapheme', maxLength: 20 }),
  step: fc.maxSafeInteger(),
  value: fc.float(),
  wallTimeSeconds: fc.double({ noNaN: true }),
});

/** An event file with one more record, with correct checksums. */
const withRecord = (data: Uint8Array) => Buffer.concat([encodeEventFileHeader(0), encodeTfRecord(data)]);

describe('decodeEventFile', () => {
  it.each(['older', 'newer'] as const)('reads only the scalars in the older form: %s', (name) => {
    const { bytes, scalars } = readMade(name);
    expect(decodeEventFile(bytes, name)).toEqual({ scalars, truncatedAt: null });
  });

  it('reads a file at any address', () => {
    const { bytes, scalars } = readMade('newer');
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(decodeEventFile(shifted.subarray(3), 'shifted').scalars).toEqual(scalars);
  });

  it.each([
    [
      'a TFRecord file of something else',
      encodeTfRecord(Uint8Array.of(10, 1, 65)),
      /in its first record, found no version/,
    ],
    [
      'events of another program',
      encodeTfRecord(Buffer.concat([Uint8Array.of(26, 17), Buffer.from('Mindspore.Event:1')])),
      /found "Mindspore\.Event:1"/,
    ],
    ['a picture', Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR'), /not a TFRecord file/],
    ['a summary longer than its record', withRecord(Uint8Array.of(42, 127)), /not an event: .*premature EOF/],
    ['a truncated time', withRecord(Uint8Array.of(9, 0)), /not an event/],
    ['a field of a kind that does not exist', withRecord(Uint8Array.of(15)), /not an event/],
    ['groups without an end', withRecord(new Uint8Array(5000).fill(0x63)), /not an event/],
    ['a tag that is not UTF-8', withRecord(Uint8Array.of(42, 5, 10, 3, 10, 1, 255)), /not an event/],
    [
      'a step beyond what a number can hold',
      withRecord(Uint8Array.of(16, 255, 255, 255, 255, 255, 255, 255, 255, 127)),
      /its step is 9223372036854775807/,
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeEventFile(bytes, 'events')).toThrow(message);
    expect(() => decodeEventFile(bytes, 'events')).toThrow(ReproError);
  });

  it('fails with nothing but a ReproError, whatever a record holds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (data) => {
        try {
          decodeEventFile(withRecord(data), 'events');
        } catch (error) {
          expect(error).toBeInstanceOf(ReproError);
        }
      }),
      { seed: 2020 },
    );
  });
});

describe('encodeScalarEvents', () => {
  it('writes the same bytes as protobuf', () => {
    const { bytes, scalars } = readMade('older');
    expect(Buffer.concat([encodeEventFileHeader(1718000000.25), encodeScalarEvents(scalars)])).toEqual(
      Buffer.from(bytes),
    );
  });

  it('can be appended to, and everything is read back in single precision', () => {
    fc.assert(
      fc.property(fc.array(anyScalar, { maxLength: 8 }), fc.nat(8), (scalars, first) => {
        const file = Buffer.concat([
          encodeEventFileHeader(1.5),
          encodeScalarEvents(scalars.slice(0, first)),
          encodeScalarEvents(scalars.slice(first)),
        ]);
        // A time of -0 comes back as 0: protobuf omits zeros.
        const read = scalars.map((event) => ({ ...event, wallTimeSeconds: event.wallTimeSeconds + 0 }));
        expect(decodeEventFile(file, 'events')).toEqual({ scalars: read, truncatedAt: null });
      }),
      { seed: 2020 },
    );
  });
});
