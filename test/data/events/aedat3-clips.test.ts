import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutAedat3 } from '../../../src/data/events/aedat3-clips.ts';
import { encodeAedat3 } from '../../../src/data/events/aedat3-encode.ts';
import { decodeAedat3 } from '../../../src/data/events/aedat3-parser.ts';
import { eventsIn, type Span } from '../../../src/data/events/clips.ts';
import type { Events, Sensor } from '../../../src/data/events/events.ts';
import { clipOfEvents, type FrameLayout, frameSize } from '../../../src/data/events/frames.ts';
import type { SplitBy } from '../../../src/results/thesis/compat.ts';

function cut(
  bytes: Uint8Array,
  spans: readonly Span[],
  options: { readonly sensor: Sensor; readonly invalidEvents?: 'keep' | 'drop' },
) {
  return cutAedat3(bytes, spans, { file: 'a.aedat', ...options });
}

/** What the readers that look at one event after the other make of it. */
function cutSlowly(
  bytes: Uint8Array,
  spans: readonly Span[],
  sensor: Sensor,
  invalidEvents: 'keep' | 'drop',
) {
  const { events, summary } = decodeAedat3(bytes, { file: 'a.aedat', sensor, invalidEvents });
  return { summary, clips: spans.map((span) => clipOfEvents(eventsIn(events, span))) };
}

function framesOf(clip: ReturnType<typeof clipOfEvents>, layout: FrameLayout) {
  const { height, width } = frameSize(layout);
  const counts = new Uint8Array(layout.steps * 2 * height * width);
  clip.integrate(layout, counts);
  return { count: clip.count, counts, durations: clip.durationsUs(layout) };
}

function markInvalid(bytes: Uint8Array, isInvalid: (event: number) => boolean): Uint8Array {
  const view = new DataView(bytes.buffer);
  let at = Buffer.from(bytes).indexOf('#!END-HEADER') + 14;
  for (let event = 0; at < bytes.length; ) {
    const end = at + 28 + 8 * view.getUint32(at + 20, true);
    for (at += 28; at < end; at += 8, event++) if (isInvalid(event)) bytes[at]! &= ~1;
  }
  return bytes;
}

const spans = [
  { startUs: 100, endUs: 400 },
  { startUs: 350, endUs: 900 },
  { startUs: 5000, endUs: 6000 },
];

/** Times mostly in order, some past the 31-bit clock's overflow; all pixels of 24 x 16. */
const recordings = fc
  .record({
    rows: fc.array(fc.tuple(fc.nat(1200), fc.nat(23), fc.nat(15), fc.nat(1), fc.nat(1)), { maxLength: 90 }),
    sorted: fc.boolean(),
    packetEvents: fc.integer({ min: 1, max: 40 }),
    comment: fc.constantFrom('a', 'ab', 'abc', 'abcd'),
  })
  .map(({ rows, sorted, packetEvents, comment }) => {
    const ordered = sorted ? rows.toSorted((a, b) => a[0] - b[0]) : rows;
    const events: Events = {
      tUs: Float64Array.from(ordered, (row) => row[0]),
      x: Uint16Array.from(ordered, (row) => row[1]),
      y: Uint16Array.from(ordered, (row) => row[2]),
      p: Uint8Array.from(ordered, (row) => row[3]),
    };
    const bytes = encodeAedat3(events, { packetEvents, comments: [comment] });
    return markInvalid(bytes, (event) => ordered[event]![4] === 0);
  });

describe('the clips of an AEDAT 3.1 recording', () => {
  test('are the same in frames as those of a reader that takes one event after the other', () => {
    fc.assert(
      fc.property(
        recordings,
        fc.constantFrom<SplitBy>('number', 'time', 'duration'),
        fc.constantFrom('keep' as const, 'drop' as const),
        fc.constantFrom(1, 2, 4),
        fc.integer({ min: 1, max: 7 }),
        (bytes, splitBy, invalidEvents, downsample, steps) => {
          const sensor = { height: 16, width: 24 };
          const layout = { steps, splitBy, durationUs: 30, downsample, sensor };
          const quick = cut(bytes, spans, { sensor, invalidEvents });
          const slow = cutSlowly(bytes, spans, sensor, invalidEvents);
          expect(quick.summary).toEqual(slow.summary);
          expect(quick.clips.map((clip) => framesOf(clip, layout))).toEqual(
            slow.clips.map((clip) => framesOf(clip, layout)),
          );
        },
      ),
      { seed: 2020, numRuns: 150 },
    );
  });

  test('may be longer than what is looked at at once, and cross the clock’s overflow', () => {
    const length = 70_000;
    const start = 2 ** 31 - 30_000;
    const events: Events = {
      tUs: Float64Array.from({ length }, (_, i) => start + i),
      x: Uint16Array.from({ length }, (_, i) => i % 128),
      y: Uint16Array.from({ length }, (_, i) => (i * 7) % 128),
      p: Uint8Array.from({ length }, (_, i) => i % 2),
    };
    const bytes = encodeAedat3(events, { packetEvents: 60_000 });
    const sensor = { height: 128, width: 128 };
    const layout = { steps: 3, splitBy: 'number' as const, downsample: 1, sensor };
    const span = { startUs: start + 5, endUs: start + length - 5 };
    const quick = cut(bytes, [span], { sensor }).clips[0]!;
    expect(quick.count).toBe(length - 10);
    expect(framesOf(quick, layout)).toEqual(
      framesOf(cutSlowly(bytes, [span], sensor, 'keep').clips[0]!, layout),
    );
  });

  test('tell that a count needs a wider array', () => {
    const length = 300;
    const zeros = new Uint16Array(length);
    const events: Events = {
      tUs: new Float64Array(length).fill(150),
      x: zeros,
      y: zeros,
      p: new Uint8Array(length),
    };
    const sensor = { height: 2, width: 2 };
    const clip = cut(encodeAedat3(events), spans, { sensor }).clips[0]!;
    const layout = { steps: 1, splitBy: 'number' as const, downsample: 1, sensor };
    expect(clip.integrate(layout, new Uint8Array(8))).toBeGreaterThan(255);
    const wide = new Uint16Array(8);
    expect(clip.integrate(layout, wide)).toBeLessThan(65_536);
    expect(wide[0]).toBe(300);
  });
});

describe('events exactly at the bounds', () => {
  /** One event at each time, all at the same pixel and polarity 1. */
  function recordingAt(...tUs: readonly number[]): Uint8Array {
    const length = tUs.length;
    const events = {
      tUs: Float64Array.from(tUs),
      x: new Uint16Array(length),
      y: new Uint16Array(length),
      p: new Uint8Array(length).fill(1),
    };
    return encodeAedat3(events, { packetEvents: 3 });
  }

  const sensor = { height: 1, width: 1 };

  /** How many events each frame of the clip has. */
  function countsOf(bytes: Uint8Array, span: Span, layout: Omit<FrameLayout, 'sensor' | 'downsample'>) {
    const [clip] = cut(bytes, [span], { sensor }).clips;
    const { counts } = framesOf(clip!, { ...layout, sensor, downsample: 1 });
    // [T, 2, 1, 1], polarity 1.
    return [...counts].filter((_, i) => i % 2 === 1);
  }

  const all = { startUs: 0, endUs: 1000 };

  test('of a frame by time belong to the frame that starts there', () => {
    // Δt = floor((130 - 100) / 3) = 10.
    const bytes = recordingAt(100, 109, 110, 119, 120, 121, 130);
    expect(countsOf(bytes, all, { steps: 3, splitBy: 'time' })).toEqual([2, 2, 3]);
  });

  test('of a frame of a fixed duration do too, and later events are left out', () => {
    const bytes = recordingAt(100, 109, 110, 119, 120, 121, 130);
    expect(countsOf(bytes, all, { steps: 3, splitBy: 'duration', durationUs: 10 })).toEqual([2, 2, 2]);
    expect(countsOf(bytes, all, { steps: 2, splitBy: 'duration', durationUs: 10 })).toEqual([2, 2]);
  });

  test('of a frame by number are counted: floor(7 / 3) = 2, 2 and the rest', () => {
    const bytes = recordingAt(100, 100, 100, 100, 100, 100, 130);
    expect(countsOf(bytes, all, { steps: 3, splitBy: 'number' })).toEqual([2, 2, 3]);
  });

  test('of a clip belong to the clip that starts there', () => {
    const bytes = recordingAt(99, 100, 109, 110, 111);
    const one = { steps: 1, splitBy: 'number' } as const;
    expect(countsOf(bytes, { startUs: 100, endUs: 110 }, one)).toEqual([2]);
    expect(countsOf(bytes, { startUs: 110, endUs: 112 }, one)).toEqual([2]);
  });
});
