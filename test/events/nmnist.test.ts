import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReproError } from '../../src/errors.ts';
import { sliceEvents } from '../../src/events/events.ts';
import { decodeNmnist } from '../../src/events/nmnist.ts';

test('five big-endian bytes are one event: x, y, polarity, 23 bits of time', () => {
  const { events, warnings } = decodeNmnist(
    Uint8Array.of(10, 33, 0x80, 0x03, 0xe8, 0, 5, 0x7f, 0xff, 0xff),
    'Train/0/1.bin',
  );
  expect(events).toEqual({
    tUs: Float64Array.of(1000, 2 ** 23 - 1),
    x: Uint16Array.of(10, 0),
    y: Uint16Array.of(33, 5),
    p: Uint8Array.of(1, 0),
  });
  expect(warnings).toEqual([]);
});

test('a file that is not a whole number of events is rejected with the byte', () => {
  expect(() => decodeNmnist(new Uint8Array(12), 'a.bin')).toThrow(
    expect.objectContaining({ code: 'nmnist-size', where: 'a.bin: byte 10' }),
  );
});

test.each([
  ['x', [0, 0, 0, 0, 0, 34, 0, 0, 0, 0]],
  ['y', [0, 0, 0, 0, 0, 0, 34, 0, 0, 0]],
])('an event with %s outside the sensor is rejected with the byte', (_, bytes) => {
  expect(() => decodeNmnist(Uint8Array.from(bytes), 'a.bin')).toThrow(
    expect.objectContaining({ code: 'nmnist-event', where: 'a.bin: byte 5' }),
  );
});

test('time going backwards and an empty sample are accepted with a warning', () => {
  const { warnings } = decodeNmnist(Uint8Array.of(0, 0, 0, 0, 9, 0, 0, 0, 0, 8), 'a.bin');
  expect(warnings).toEqual(['a.bin: byte 5  goes back in time.']);
  expect(decodeNmnist(new Uint8Array(0), 'b.bin').warnings).toEqual([
    'b.bin  contains no events: its clip is blank.',
  ]);
});

/** Three events. */
const SAMPLE = Uint8Array.of(1, 2, 0x80, 0, 100, 33, 33, 0, 0, 200, 0, 0, 0xff, 0xff, 0xff);

test('a file cut at any byte is an error, or between two events the events before', () => {
  const whole = decodeNmnist(SAMPLE, 'a.bin').events;
  for (let cut = 0; cut < SAMPLE.length; cut++) {
    const bytes = SAMPLE.subarray(0, cut);
    if (cut % 5 === 0) {
      expect(decodeNmnist(bytes, 'a.bin').events).toEqual(sliceEvents(whole, 0, cut / 5));
    } else {
      expect(() => decodeNmnist(bytes, 'a.bin'), `cut at ${cut}`).toThrow(
        expect.objectContaining({ code: 'nmnist-size', where: `a.bin: byte ${cut - (cut % 5)}` }),
      );
    }
  }
});

test('a file with any bytes is read, each event in its place, or rejected with a reason', () => {
  const anyEvent = fc.tuple(fc.nat(36), fc.nat(36), fc.nat(1), fc.nat(2 ** 23 - 1));
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 20 }), fc.uint8Array({ maxLength: 4 }), (rows, rest) => {
      const bytes = Uint8Array.from([
        ...rows.flatMap(([x, y, p, t]) => [x, y, (p << 7) | (t >> 16), (t >> 8) & 0xff, t & 0xff]),
        ...rest,
      ]);
      if (rest.length > 0 || rows.some(([x, y]) => x > 33 || y > 33)) {
        expect(() => decodeNmnist(bytes, 'a.bin')).toThrow(ReproError);
        return;
      }
      const { events } = decodeNmnist(bytes, 'a.bin');
      expect(rows.map((_, i) => [events.x[i], events.y[i], events.p[i], events.tUs[i]])).toEqual(rows);
      expect(events.tUs).toHaveLength(rows.length);
    }),
    { seed: 2020, numRuns: 500 },
  );
});
