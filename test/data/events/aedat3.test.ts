import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { encodeAedat3 } from '../../../src/data/events/aedat3-encode.ts';
import { decodeAedat3 } from '../../../src/data/events/aedat3-parser.ts';
import type { Events } from '../../../src/data/events/events.ts';
import { goldenEvents } from '../../support/golden-events.ts';

const recording = readFileSync(new URL('../../golden/recording.aedat', import.meta.url));
const options = { file: 'a.aedat', sensor: { height: 128, width: 128 } };
/** Where the text header of `recording` ends; four packets follow, the second with special events. */
const HEADER_BYTES = 105;

function makeEvents(times: readonly number[]): Events {
  const indices = times.map((_, i) => i);
  return {
    tUs: Float64Array.from(times),
    x: Uint16Array.from(indices, (i) => i % 128),
    y: Uint16Array.from(indices, (i) => (i * 3) % 128),
    p: Uint8Array.from(indices, (i) => i % 2),
  };
}

/** The recording with a u32 of its first packet's header, or any other byte range, changed. */
function patched(offset: number, value: number, bytes: Uint8Array = recording): Uint8Array {
  const copy = new Uint8Array(bytes);
  new DataView(copy.buffer).setUint32(offset, value, true);
  return copy;
}

describe('reading AEDAT 3.1', () => {
  test('gives the events that the original code reads from the golden recording', () => {
    const { events, summary } = decodeAedat3(recording, options);
    expect(events).toEqual(goldenEvents('aedat_events'));
    expect(summary).toMatchObject({
      packets: 4,
      events: 300,
      firstUs: 638,
      warnings: [],
    });
  });

  test('adds the packet’s overflow count to the 31-bit clock', () => {
    const events = makeEvents([2 ** 31 - 1, 2 ** 31, 5 * 2 ** 31 + 7, 2 ** 41 + 1]);
    expect(decodeAedat3(encodeAedat3(events), options).events).toEqual(events);
  });

  test('reads the largest time that is exact in a double, and rejects one more overflow', () => {
    const latest = makeEvents([2 ** 53 - 1]);
    const bytes = encodeAedat3(latest);
    expect(decodeAedat3(bytes, options).events).toEqual(latest);
    const header = bytes.length - 8 - 28;
    expect(() => decodeAedat3(patched(header + 12, 2 ** 22, bytes), options)).toThrow(
      expect.objectContaining({ code: 'aedat-packet' }),
    );
  });

  test('reads a 32-bit timestamp as `timestamp | overflow << 31`, with a warning', () => {
    const bytes = encodeAedat3(makeEvents([2 ** 31 + 5]));
    const stamp = bytes.length - 4;
    // With one overflow, bit 31 of the sum is set already.
    const odd = decodeAedat3(patched(stamp, 2 ** 31 + 5, bytes), options);
    expect(odd.events.tUs[0]).toBe(2 ** 31 + 5);
    expect(odd.summary.warnings).toEqual([expect.stringContaining("beyond the clock's 31 bits")]);
    const even = patched(bytes.length - 8 - 28 + 12, 2, patched(stamp, 2 ** 31 + 5, bytes));
    expect(decodeAedat3(even, options).events.tUs[0]).toBe(2 ** 32 + 2 ** 31 + 5);
  });

  test('keeps invalid events as the original does, and drops them on request', () => {
    const bytes = encodeAedat3(makeEvents([1, 2, 3]));
    bytes[bytes.length - 2 * 8]! &= ~1;
    expect(decodeAedat3(bytes, options).events.tUs).toEqual(Float64Array.of(1, 2, 3));
    const dropped = decodeAedat3(bytes, { ...options, invalidEvents: 'drop' });
    expect(dropped.events.tUs).toEqual(Float64Array.of(1, 3));
  });

  test('reads all slots of a packet with more room than events, as the original does, with a warning', () => {
    const bytes = patched(HEADER_BYTES + 20, 70);
    const { events, summary } = decodeAedat3(bytes, options);
    expect(events).toEqual(goldenEvents('aedat_events'));
    expect(summary.warnings[0]).toMatch(
      /^a\.aedat: packet 1, byte 105 {2}has room for more events than it contains/,
    );
    expect(decodeAedat3(bytes, { ...options, invalidEvents: 'drop' }).events.tUs).toHaveLength(295);
  });

  test('accepts time going backwards, with a warning that says where and how often', () => {
    const { summary } = decodeAedat3(encodeAedat3(makeEvents([5, 3, 9, 8])), options);
    expect(summary).toMatchObject({ firstUs: 3, lastUs: 9 });
    expect(summary.warnings).toEqual([
      expect.stringMatching(/packet 1, byte \d+ {2}goes back in time, from 5 to 3 µs \(the first of 2 such/),
    ]);
  });

  test('accepts a recording without events, with a warning', () => {
    const { events, summary } = decodeAedat3(encodeAedat3(makeEvents([])), options);
    expect(events.tUs).toHaveLength(0);
    expect(summary).toMatchObject({ firstUs: null, lastUs: null });
    expect(summary.warnings).toEqual(['a.aedat  contains no polarity events.']);
  });
});

describe('a damaged AEDAT file', () => {
  const text = (value: string) => new TextEncoder().encode(value);
  const first = HEADER_BYTES;
  const cases: [string, Uint8Array, string, string][] = [
    ['that is empty', new Uint8Array(0), 'aedat-header', 'header, byte 0'],
    ['with another magic', text('RIFF....'), 'aedat-header', 'header, byte 0'],
    ['of another version', text('#!AER-DAT2.0\r\n'), 'aedat-header', 'header, byte 0'],
    ['with changed line ends', text('#!AER-DAT3.1\n#!END-HEADER\n'), 'aedat-header', 'header, byte 0'],
    ['without an end of its header', text('#!AER-DAT3.1\r\n#a\r\n'), 'aedat-header', 'header, byte 18'],
    ['with data in its header', text('#!AER-DAT3.1\r\nabc\n'), 'aedat-header', 'header, byte 14'],
    ['with an endless header', text(`#!AER-DAT3.1\r\n#${'a'.repeat(20_000)}`), 'aedat-header', 'byte 14'],
    ['cut off inside a packet', recording.subarray(0, 500), 'aedat-truncated', 'packet 1, byte 105'],
    ['cut off inside a packet header', recording.subarray(0, 740), 'aedat-truncated', 'packet 2, byte 733'],
    [
      'with something appended',
      Buffer.concat([recording, text('x')]),
      'aedat-truncated',
      'packet 5, byte 2625',
    ],
    ['with events of 9 bytes', patched(first + 4, 9), 'aedat-packet', 'packet 1, byte 105'],
    ['with the time elsewhere', patched(first + 8, 0), 'aedat-packet', 'packet 1, byte 105'],
    ['with 4 billion overflows', patched(first + 12, 0xffffffff), 'aedat-packet', 'packet 1, byte 105'],
    ['with a huge packet', patched(first + 16, 0xffffffff), 'aedat-truncated', 'packet 1, byte 105'],
    ['with more events than room', patched(first + 20, 76), 'aedat-packet', 'packet 1, byte 105'],
    ['with x out of range', patched(first + 28, (128 << 17) | 1), 'aedat-event', 'packet 1, byte 133'],
    ['with y out of range', patched(first + 36, (128 << 2) | 1), 'aedat-event', 'packet 1, byte 141'],
  ];
  test.each(cases)('%s is rejected with its place and a fix', (_, bytes, code, where) => {
    expect(() => decodeAedat3(bytes, options)).toThrow(
      expect.objectContaining({
        code,
        where: expect.stringContaining(where),
        fix: expect.stringMatching(/\w.*[.:]$/s),
      }),
    );
  });
});

describe('writing AEDAT 3.1', () => {
  test('starts a packet after the given number of events and where the clock overflows', () => {
    const bytes = encodeAedat3(makeEvents([1, 2, 3, 2 ** 31, 2 ** 31 + 1]), { packetEvents: 2 });
    expect(decodeAedat3(bytes, options).summary.packets).toBe(3);
  });

  test('reproduces the golden recording, except for its packet of special events', () => {
    const { events } = decodeAedat3(recording, options);
    const again = encodeAedat3(events, { packetEvents: 75 });
    again.set(Buffer.from('2016-09-23 16:42:17 (TZ-0400)'), Buffer.from(again).indexOf('1970'));
    expect(Buffer.from(again.subarray(0, 733))).toEqual(recording.subarray(0, 733));
  });
});
