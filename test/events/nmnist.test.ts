import { expect, test } from 'vitest';
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
