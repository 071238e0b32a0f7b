import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReproError } from '../../../src/base/errors.ts';
import { decodeAedat4 } from '../../../src/data/events/aedat4.ts';
import { sliceEvents } from '../../../src/data/events/events.ts';

const fixtures = new URL('../../fixtures/formats/', import.meta.url);
const KINDS = ['none', 'lz4', 'lz4-high', 'zstd', 'zstd-high'] as const;
const files = new Map(KINDS.map((kind) => [kind, readFileSync(new URL(`davis-${kind}.aedat4`, fixtures))]));

test.each(KINDS)(
  'a file cut at any byte is an error, or has the events before a documented place: %s',
  async (kind) => {
    const bytes = files.get(kind)!;
    const whole = (await decodeAedat4(bytes, 'a.aedat4')).events;
    const counts = new Set<number>();
    let accepted = 0;
    for (let cut = 0; cut < bytes.length; cut++) {
      try {
        const { events } = await decodeAedat4(bytes.subarray(0, cut), 'a.aedat4');
        expect(events).toEqual(sliceEvents(whole, 0, events.tUs.length));
        counts.add(events.tUs.length);
        accepted += 1;
      } catch (error) {
        expect(error, `cut at ${cut}`).toBeInstanceOf(ReproError);
      }
    }
    if (kind === 'lz4') {
      // No table of contents: a cut between two of the six packets is not seen.
      expect([...counts]).toEqual([0, 50, 51]);
      expect(accepted).toBe(6);
    } else {
      // Only the table of contents may be cut.
      expect([...counts]).toEqual([90]);
      expect(accepted).toBeLessThan(60);
    }
  },
);

test.each(KINDS)('a file with bytes changed is read or rejected with a reason: %s', async (kind) => {
  const bytes = files.get(kind)!;
  const change = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      const copy = Uint8Array.from(bytes);
      for (const [at, bits] of changes) copy[at]! ^= bits;
      try {
        const { events, sensor } = await decodeAedat4(copy, 'a.aedat4');
        expect(events.x.every((x) => x < sensor.width) && events.y.every((y) => y < sensor.height)).toBe(
          true,
        );
        expect(events.p.every((p) => p <= 1)).toBe(true);
        expect(events.tUs.every((t) => Number.isSafeInteger(t) && t >= 0)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(ReproError);
      }
    }),
    { seed: 2020, numRuns: 600 },
  );
});
