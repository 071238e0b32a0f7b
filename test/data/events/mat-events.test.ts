import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { shearEvents } from '../../../src/data/events/frames.ts';
import { decodeMatEvents } from '../../../src/data/events/mat-events.ts';
import { expectReadOrRefused } from '../../support/damaged-bytes.ts';

const fixtures = new URL('../../fixtures/formats/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, fixtures));
const integers = read('asl-dvs.mat');
const doubles = read('asl-dvs-compressed.mat');
const expected = JSON.parse(read('expected.json').toString())['asl-dvs.mat'];

const ASL_DVS = { title: 'ASL-DVS', sensor: { height: 180, width: 240 } };

/** The recording with the numbers of one of its lists (u32 for ts, bytes for the others) changed. */
function patched(name: string, index: number, value: number): Buffer {
  const bytes = Buffer.from(integers);
  // A name of up to 4 letters is in the last 4 bytes of a small element; the data's tag of 8 bytes follows.
  const at = bytes.indexOf(`${name}\0`, 128) + 4 + 8;
  if (name === 'ts') bytes.writeUInt32LE(value, at + 4 * index);
  else bytes[at + index] = value;
  return bytes;
}

describe('reading events of MATLAB files', () => {
  test.each([
    ['integers', integers],
    ['compressed doubles', doubles],
  ])('takes the lists as they are, as the original does: %s', (_, bytes) => {
    const { events, warnings } = decodeMatEvents(bytes, 'a_0001.mat', ASL_DVS);
    expect(events).toEqual({
      tUs: Float64Array.from(expected.t),
      x: Uint16Array.from(expected.x),
      y: Uint16Array.from(expected.y),
      p: Uint8Array.from(expected.p),
    });
    expect(warnings).toEqual([]);
  });

  test('moves pixels to where the original’s converter counts them, by hand', () => {
    // Position y · 180 + x, in rows of 240.
    const pixels = [
      { from: [0, 0], position: 0, to: [0, 0] },
      { from: [239, 0], position: 239, to: [239, 0] },
      { from: [0, 1], position: 180, to: [180, 0] }, // the pixel of (180, 0), too
      { from: [100, 1], position: 280, to: [40, 1] },
      { from: [0, 4], position: 720, to: [0, 3] },
      { from: [239, 179], position: 32_459, to: [59, 135] }, // the last one: 135 · 240 + 59
    ];
    const column = (at: 0 | 1, key: 'from' | 'to') => Uint16Array.from(pixels, (pixel) => pixel[key][at]!);
    const others = { tUs: Float64Array.from(pixels, (_, i) => i), p: new Uint8Array(pixels.length).fill(1) };
    const events = { ...others, x: column(0, 'from'), y: column(1, 'from') };
    expect(shearEvents(events, ASL_DVS.sensor)).toEqual({
      ...others,
      x: column(0, 'to'),
      y: column(1, 'to'),
    });
    // On a square sensor, the original is right.
    const square = { height: 240, width: 240 };
    expect(shearEvents(events, square)).toEqual(events);
  });

  test('accepts time going backwards, with a warning', () => {
    expect(decodeMatEvents(patched('ts', 3, 4_000_000_000), 'a.mat', ASL_DVS).warnings).toEqual([
      'a.mat: event 4  goes back in time.',
    ]);
  });

  test.each([
    [
      'x outside the sensor',
      'x',
      2,
      240,
      'mat-event',
      /^event 2 is at x 240, y \d+, outside the sensor's 240 x 180/,
    ],
    ['y outside the sensor', 'y', 0, 180, 'mat-event', /^event 0 is at x \d+, y 180/],
    ['another polarity', 'pol', 49, 2, 'mat-event', /^event 49 has the polarity 2/],
  ])('rejects %s', (_, name, index, value, code, message) => {
    expect(() => decodeMatEvents(patched(name, index, value), 'a.mat', ASL_DVS)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test.each([
    ['plain', integers],
    ['compressed', doubles],
  ])('reads or rejects a recording with any byte changed, %s', (_, bytes) => {
    expectReadOrRefused(
      bytes,
      (copy) => decodeMatEvents(copy, 'a.mat', ASL_DVS).events,
      ({ x, y, p, tUs }) => {
        expect(x.every((value) => value < ASL_DVS.sensor.width)).toBe(true);
        expect(y.every((value) => value < ASL_DVS.sensor.height)).toBe(true);
        expect(p.every((value) => value <= 1) && tUs.every((t) => Number.isSafeInteger(t))).toBe(true);
      },
    );
  });
});
