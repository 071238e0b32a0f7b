import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Events } from '../../../src/data/events/events.ts';
import {
  type FrameLayout,
  frameDurationsUs,
  frameSize,
  integrateFrames,
  normaliseFrames,
} from '../../../src/data/events/frames.ts';
import type { SplitBy } from '../../../src/results/thesis/compat.ts';

function layout(steps: number, splitBy: SplitBy, side = 16, downsample = 1): FrameLayout {
  return { steps, splitBy, sensor: { height: side, width: side }, downsample };
}

/** Events at the given times, all on pixel (0, 0), polarity 0. */
function eventsAt(times: readonly number[]): Events {
  const length = times.length;
  return {
    tUs: Float64Array.from(times),
    x: new Uint16Array(length),
    y: new Uint16Array(length),
    p: new Uint8Array(length),
  };
}

/** Events per frame. */
function perFrame(events: Events, steps: number, splitBy: SplitBy): number[] {
  const counts = new Uint32Array(steps * 2);
  integrateFrames(events, layout(steps, splitBy, 1), counts);
  return Array.from({ length: steps }, (_, i) => counts[2 * i]! + counts[2 * i + 1]!);
}

describe('cutting a clip into frames', () => {
  test.each([
    ['number', 'the last frame takes the rest', [0, 1, 2, 3, 4, 5, 6], [2, 2, 3]],
    ['number', 'the last frame takes fewer events than frames', [0, 1], [0, 0, 0, 2]],
    ['number', 'no events are all zeros', [], [0, 0, 0]],
    // A span without events is an empty frame.
    ['time', 'the last frame takes the rest', [100, 101, 131, 139, 140, 141], [2, 0, 0, 4]],
    ['time', 'the last frame takes a clip with less than 1 µs per frame', [7, 8], [0, 0, 0, 2]],
    ['time', 'events out of order are counted by their time', [20, 0, 39, 10, 40], [1, 1, 1, 2]],
    ['time', 'no events are all zeros', [], [0, 0, 0]],
  ] as const)('by %s %s', (splitBy, _, times, expected) => {
    expect(perFrame(eventsAt(times), expected.length, splitBy)).toEqual(expected);
  });

  test.each([
    ['time', {}, [1, 2, 1, 2]],
    ['duration', { durationUs: 9 }, [0, 3, 0, 1]],
    ['number', {}, [1, 1, 1, 3]],
  ] as const)('by %s from the start of the file, time counts from 0', (splitBy, more, expected) => {
    const counts = new Uint8Array(8);
    const own = { ...layout(4, splitBy, 1), ...more, from: 'file' } as const;
    // By time: 0-9, 10-19, 20-29 and the rest. By duration: 0-8, 9-17, 18-26, 27-35.
    integrateFrames(eventsAt([9, 10, 17, 29, 39, 40]), own, counts);
    expect([0, 2, 4, 6].map((i) => counts[i])).toEqual(expected);
  });

  test('by duration from the start of the file, the last frame has its end, and nothing later', () => {
    const own = { ...layout(2, 'duration', 1), durationUs: 10, from: 'file' } as const;
    const counts = new Uint8Array(4);
    integrateFrames(eventsAt([10, 19, 20, 20, 21]), own, counts);
    expect([...counts]).toEqual([0, 0, 4, 0]);
  });

  test('by duration each frame lasts as long as asked, and later events are left out', () => {
    const own = { ...layout(3, 'duration', 1), durationUs: 10 };
    const counts = new Uint8Array(6);
    // From 5: 5-14, 15-24, 25-34; 35 and 50 are too late.
    expect(integrateFrames(eventsAt([5, 14, 15, 34, 35, 50]), own, counts)).toBe(2);
    expect([...counts]).toEqual([2, 0, 1, 0, 1, 0]);
    expect(integrateFrames(eventsAt([7]), own, counts)).toBe(1);
    expect([...counts]).toEqual([1, 0, 0, 0, 0, 0]);
    expect(frameDurationsUs(eventsAt([5, 50]), own)).toEqual(Float64Array.of(10, 10, 10));
  });

  test.each(['number', 'time'] as const)('a clip without events lasts 0 µs by %s', (splitBy) => {
    expect(frameDurationsUs(eventsAt([]), { steps: 3, splitBy })).toEqual(new Float64Array(3));
  });

  test('the last frame by number lasts until the last event, where the original has no result', () => {
    const durations = frameDurationsUs(eventsAt([0, 10, 30, 60, 100]), { steps: 2, splitBy: 'number' });
    expect(durations).toEqual(Float64Array.of(30, 70));
  });

  test('frequency refuses to guess durations', () => {
    expect(() => normaliseFrames(new Float32Array(2), { height: 1, width: 1 }, 'frequency')).toThrow(
      RangeError,
    );
  });
});

describe('frame size and counts', () => {
  test('downsampling bins pixels, and channel is polarity', () => {
    const events: Events = {
      tUs: Float64Array.of(0, 1, 2, 3),
      x: Uint16Array.of(0, 1, 2, 3),
      y: Uint16Array.of(0, 1, 2, 0),
      p: Uint8Array.of(1, 1, 1, 0),
    };
    const counts = new Uint32Array(8);
    expect(integrateFrames(events, layout(1, 'number', 4, 2), counts)).toBe(2);
    expect([...counts]).toEqual([0, 1, 0, 0, 2, 0, 0, 1]);
  });

  test.each([1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60])(
    'a sensor of 240 x 180 can be downsampled by %i',
    (downsample) => {
      const own: FrameLayout = {
        steps: 1,
        splitBy: 'number',
        downsample,
        sensor: { height: 180, width: 240 },
      };
      const { height, width } = frameSize(own);
      expect([height, width]).toEqual([180 / downsample, 240 / downsample]);
      const counts = new Uint8Array(2 * height * width);
      const events = {
        ...eventsAt([0]),
        x: Uint16Array.of(239),
        y: Uint16Array.of(179),
        p: Uint8Array.of(1),
      };
      integrateFrames(events, own, counts);
      expect(counts.lastIndexOf(1)).toBe(counts.length - 1);
    },
  );

  test.each([3, 0])('downsampling by %s, which does not divide the sensor, is rejected', (downsample) => {
    expect(() => frameSize(layout(1, 'number', 16, downsample))).toThrow(
      expect.objectContaining({ code: 'frames', fix: 'What fits: 1, 2, 4, 8, 16.' }),
    );
  });

  test('every event is counted exactly once, whatever the events and the split', () => {
    const rows = fc.array(fc.tuple(fc.nat(1000), fc.nat(7), fc.nat(7), fc.nat(1)), { maxLength: 60 });
    fc.assert(
      fc.property(
        rows,
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom<SplitBy>('number', 'time'),
        fc.constantFrom(1, 2, 4, 8),
        (events, steps, splitBy, downsample) => {
          const counts = new Uint32Array(steps * 2 * (8 / downsample) ** 2);
          const largest = integrateFrames(
            {
              tUs: Float64Array.from(events, (row) => row[0]),
              x: Uint16Array.from(events, (row) => row[1]),
              y: Uint16Array.from(events, (row) => row[2]),
              p: Uint8Array.from(events, (row) => row[3]),
            },
            layout(steps, splitBy, 8, downsample),
            counts,
          );
          expect(counts.reduce((sum, count) => sum + count, 0)).toBe(events.length);
          expect(largest).toBe(Math.max(...counts));
        },
      ),
      { seed: 2020 },
    );
  });
});
