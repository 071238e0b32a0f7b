import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReproError } from '../../../src/base/errors.ts';
import { encodeAedat3 } from '../../../src/data/events/aedat3-encode.ts';
import { decodeAedat3 } from '../../../src/data/events/aedat3-parser.ts';
import { type Events, sliceEvents } from '../../../src/data/events/events.ts';

const options = { file: 'a.aedat', sensor: { height: 128, width: 128 } };
const MOST_US = Number.MAX_SAFE_INTEGER;

const anyEvents = fc
  .array(fc.tuple(fc.integer({ min: 0, max: MOST_US }), fc.nat(127), fc.nat(127), fc.nat(1)), {
    maxLength: 40,
  })
  .map(
    (rows): Events => ({
      tUs: Float64Array.from(rows, (row) => row[0]),
      x: Uint16Array.from(rows, (row) => row[1]),
      y: Uint16Array.from(rows, (row) => row[2]),
      p: Uint8Array.from(rows, (row) => row[3]),
    }),
  );

test('events come back as written, in any order and packet size', () => {
  fc.assert(
    fc.property(anyEvents, fc.integer({ min: 1, max: 50 }), (events, packetEvents) => {
      expect(decodeAedat3(encodeAedat3(events, { packetEvents }), options).events).toEqual(events);
    }),
    { seed: 2020 },
  );
});

test('a file cut at any byte is an error or, cut between two packets, the events before', () => {
  const length = 20;
  const events: Events = {
    tUs: Float64Array.from({ length }, (_, i) => i * 1000),
    x: new Uint16Array(length).fill(3),
    y: new Uint16Array(length).fill(4),
    p: new Uint8Array(length).fill(1),
  };
  const bytes = encodeAedat3(events, { packetEvents: 6 });
  const header = bytes.length - 20 * 8 - 4 * 28;
  const prefixes = new Map([0, 6, 12, 18].map((count, i) => [header + i * 28 + count * 8, count]));
  for (let cut = 0; cut < bytes.length; cut++) {
    const count = prefixes.get(cut);
    if (count === undefined) {
      expect(() => decodeAedat3(bytes.subarray(0, cut), options), `cut at ${cut}`).toThrow(ReproError);
    } else {
      expect(decodeAedat3(bytes.subarray(0, cut), options).events).toEqual(sliceEvents(events, 0, count));
    }
  }
});

test('a file with any byte changed is read, or rejected with a reason', () => {
  fc.assert(
    fc.property(anyEvents, fc.nat(), fc.integer({ min: 1, max: 255 }), (events, position, change) => {
      const bytes = encodeAedat3(events, { packetEvents: 7 });
      bytes[position % bytes.length]! ^= change;
      try {
        for (const p of decodeAedat3(bytes, options).events.p) expect(p).toBeLessThanOrEqual(1);
      } catch (error) {
        expect(error).toBeInstanceOf(ReproError);
      }
    }),
    { seed: 2020 },
  );
});
