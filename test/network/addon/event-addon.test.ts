import { execFileSync } from 'node:child_process';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutAedat3 } from '../../../src/data/events/aedat3-clips.ts';
import { encodeAedat3 } from '../../../src/data/events/aedat3-encode.ts';
import { isRegular } from '../../../src/data/events/event-block.ts';
import type { Events } from '../../../src/data/events/events.ts';
import { frameSize } from '../../../src/data/events/frames.ts';
import { findEventAddon } from '../../../src/network/addon/event-addon.ts';
import type { EventAddon } from '../../../src/network/addon/event-functions.ts';

const addon = findEventAddon();

/** More than the addon is called for, so that both ways are taken; odd and even numbers of events. */
const manyEvents = fc.integer({ min: 62, max: 150 });

/** Regular words of events 1 µs apart on a 128 x 128 sensor. */
function regularWords(events: number, startUs: number): Int32Array {
  const words = new Int32Array(2 * events);
  for (let i = 0; i < events; i++) {
    words[2 * i] = (((i * 37) & 127) << 17) | (((i * 11) & 127) << 2) | ((i & 1) << 1) | 1;
    words[2 * i + 1] = startUs + i;
  }
  return words;
}

describe.skipIf(addon === null)('the addon', () => {
  const native = addon as EventAddon;

  test('finds regular what TypeScript finds regular, and odd what it finds odd', () => {
    let odd = 0;
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 31 }));
    fc.assert(
      fc.property(
        manyEvents,
        fc.nat(1000),
        fc.array(change, { maxLength: 2 }),
        fc.nat(5),
        fc.boolean(),
        fc.constantFrom({ height: 128, width: 128 }, { height: 100, width: 128 }, { height: 128, width: 97 }),
        (events, startUs, changes, from, allValid, sensor) => {
          const words = regularWords(events, startUs);
          for (const [at, bit] of changes) words[at % words.length]! ^= 1 << bit;
          const given = words.subarray(2 * from);
          const answer = isRegular(given, given.length, sensor, allValid, native);
          if (!answer) odd += 1;
          expect(answer).toBe(isRegular(given, given.length, sensor, allValid, null));
        },
      ),
      { seed: 2024, numRuns: 2000 },
    );
    expect(odd).toBeGreaterThan(500);
    expect(odd).toBeLessThan(1800);
  });

  test('finds a single oddity at every place', () => {
    const sensor = { height: 128, width: 128 };
    for (let events = 64; events < 70; events++) {
      for (let i = 0; i < events; i++) {
        for (const [word, value] of [
          [2 * i, 128 << 17],
          [2 * i, 128 << 2],
          [2 * i + 1, -1],
          [2 * i + 1, i === 0 ? 1000 : 0],
        ] as const) {
          const words = regularWords(events, 7);
          words[word] = value;
          expect(native.areRegular(words, 0, words.length, 127, 127, false), `${events}, ${word}`).toBe(
            false,
          );
          expect(isRegular(words, words.length, sensor, false, null)).toBe(false);
        }
        const words = regularWords(events, 7);
        words[2 * i]! &= ~1;
        expect(native.areRegular(words, 0, words.length, 127, 127, true)).toBe(false);
        expect(native.areRegular(words, 0, words.length, 127, 127, false)).toBe(true);
      }
    }
  });

  test('counts like TypeScript, beyond 255 too', () => {
    const rows = Int32Array.from({ length: 1 << 16 }, (_, i) => (i & 1) * 4 + (i >> 1) * 2);
    const columns = Int32Array.from({ length: 1 << 15 }, (_, x) => x);
    const words = Int32Array.from({ length: 2 * 700 }, (_, i) =>
      i % 2 === 0 ? ((i % 3 === 0 ? 1 : 0) << 17) | 0b11 : i,
    );
    const frame = new Uint8Array(8);
    const bits = native.countEvents(frame, rows, columns, words, 2, words.length);
    const expected = [0, 0];
    for (let i = 2; i < words.length; i += 2) expected[words[i]! >>> 17]! += 1;
    expect(expected[0]! + expected[1]!).toBe(699);
    expect([...frame]).toEqual([0, 0, 0, 0, expected[0]! & 255, expected[1]! & 255, 0, 0]);
    expect(bits).toBeGreaterThanOrEqual(256);
  });

  test('writes nowhere outside the frame', () => {
    const tables = (place: number) => [new Int32Array(1 << 16).fill(place), new Int32Array(1 << 15)] as const;
    const words = regularWords(64, 0);
    for (const place of [8, -1, 2 ** 31 - 1, -(2 ** 31)]) {
      const frame = new Uint8Array(8);
      expect(() => native.countEvents(frame, ...tables(place), words, 0, words.length)).toThrow('outside');
      expect([...frame]).toEqual(new Array(8).fill(0));
    }
    // Only their sum matters; and what came before an event outside is counted.
    const [rows, columns] = [tables(-1)[0], new Int32Array(1 << 15).fill(5)];
    const some = new Uint8Array(8);
    native.countEvents(some, rows, columns, words, 0, 20);
    expect([...some]).toEqual([0, 0, 0, 0, 10, 0, 0, 0]);
    columns[words[20]! >>> 17] = 9;
    expect(() => native.countEvents(some, rows, columns, words, 0, words.length)).toThrow('outside');
    expect(some[4]).toBeGreaterThanOrEqual(10);
    expect(some[4]).toBeLessThanOrEqual(20);
    const frame = new Uint8Array(8);
    expect(() => native.countEvents(frame, ...tables(0), words, 0, words.length + 2)).toThrow('to');
    expect(() => native.countEvents(frame, ...tables(0), words, 1, 2)).toThrow('two');
    expect(() => native.countEvents(frame, new Int32Array(8), tables(0)[1], words, 0, 2)).toThrow('rows');
  });

  test.each(['number', 'time', 'duration'] as const)('makes the same frames, by %s', (splitBy) => {
    const recording = fc
      .array(fc.tuple(fc.nat(40), fc.nat(15), fc.nat(15), fc.nat(1)), { minLength: 200, maxLength: 900 })
      .map((some): Events => {
        let tUs = 100;
        return {
          tUs: Float64Array.from(some, ([gap]) => {
            tUs += gap;
            return tUs;
          }),
          x: Uint16Array.from(some, (row) => row[1]),
          y: Uint16Array.from(some, (row) => row[2]),
          p: Uint8Array.from(some, (row) => row[3]),
        };
      });
    const layout = { steps: 3, splitBy, durationUs: 900, sensor: { height: 16, width: 16 }, downsample: 2 };
    const { height, width } = frameSize(layout);
    fc.assert(
      fc.property(recording, fc.integer({ min: 20, max: 300 }), (events, packetEvents) => {
        const bytes = encodeAedat3(events, { packetEvents });
        const framesBy = (used: EventAddon | null): Uint8Array => {
          const options = { file: 'a.aedat', sensor: layout.sensor, addon: used };
          const [clip] = cutAedat3(bytes, [{ startUs: 300, endUs: 9000 }], options).clips;
          const counts = new Uint8Array(layout.steps * 2 * height * width).fill(9);
          clip!.integrate(layout, counts);
          return counts;
        };
        expect(framesBy(native)).toEqual(framesBy(null));
      }),
      { seed: 7, numRuns: 60 },
    );
  });
});

test.skipIf(addon === null)('threads that are ended within a call do not end the program', () => {
  const loop = `const addon = require(${JSON.stringify(path.resolve('native'))});
    for (const words = new Int32Array(200); ; ) addon.areRegular(words, 0, 200, 127, 127, true);`;
  const program = `const { Worker } = require('node:worker_threads');
    const { setTimeout } = require('node:timers/promises');
    const end = async (milliseconds) => {
      const workers = [0, 1].map(() => new Worker(${JSON.stringify(loop)}, { eval: true }));
      await setTimeout(milliseconds);
      await Promise.all(workers.map((worker) => worker.terminate()));
    };
    (async () => {
      for (let round = 0; round < 40; round++) await end(15 + (round % 30));
      console.log('went on');
    })();`;
  expect(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' })).toBe('went on\n');
});
