import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Events } from '../../../src/data/events/events.ts';
import { decodeSound, eventsOfLevels } from '../../../src/data/events/sound-events.ts';
import type { AudioSettings } from '../../../src/results/audio-settings.ts';
import { float, wav } from '../../support/wav-fixture.ts';

const fixtures = path.resolve(import.meta.dirname, '../../fixtures/sound');
const readJson = (name: string) => JSON.parse(readFileSync(path.join(fixtures, name), 'utf8'));

/** A sound of floats, as a file. */
const soundOf = (samples: readonly number[], rateHz = 8000) =>
  new Uint8Array(wav({ kind: 3, bits: 64, rateHz }, float(64, ...samples)));

function encode(samples: readonly number[], audio: Partial<AudioSettings>, rateHz = 8000): Events {
  return decodeSound(soundOf(samples, rateHz), 'a.wav', audio).events;
}

/** Rows of time, band and polarity. */
const rowsOf = ({ tUs, x, p }: Events) => Array.from(tUs, (t, i) => [t, x[i]!, p[i]!]);

const timesWhere = ({ tUs, x, p }: Events, band: number, polarity: number) =>
  [...tUs].filter((_, i) => x[i] === band && p[i] === polarity);

describe('what NumPy makes of a sound by the definition', () => {
  interface Reference {
    readonly file: string;
    readonly audio: Partial<AudioSettings>;
    readonly t: readonly number[];
    readonly x: readonly number[];
    readonly p: readonly number[];
  }
  test.each<Reference>(readJson('reference.json'))(
    'is what we make of it: $file',
    ({ file, audio, t, x, p }) => {
      const { events, sensor } = decodeSound(readFileSync(path.join(fixtures, file)), file, audio);
      expect(rowsOf(events)).toEqual(t.map((time, i) => [time, x[i], p[i]]));
      expect([...events.y].every((y) => y === 0)).toBe(true);
      expect(sensor).toEqual({ height: 1, width: audio.bands ?? 64 });
    },
  );

  const recordings = path.resolve('data/arabic-speech-commands/dataset');
  test.skipIf(!existsSync(recordings))(
    'is what we make of it: 20 recordings of Arabic Speech Commands',
    () => {
      const found = readJson('clips.json').map(({ file }: { readonly file: string }) => {
        const { events } = decodeSound(readFileSync(path.join(recordings, file)), file);
        const rows = Int32Array.from(rowsOf(events).flat());
        return { file, events: events.tUs.length, sha256: createHash('sha256').update(rows).digest('hex') };
      });
      expect(found).toHaveLength(20);
      expect(found).toEqual(readJson('clips.json'));
    },
  );
});

describe('a click', () => {
  // At 50 ms, in a window of 81 samples: at 45 ms it lies where the window is 0, at 50 ms where it is 1. Its power is 1 in every band.
  const click = Array.from({ length: 401 }, (_, i) => (i === 400 ? 1 : 0));
  const audio = { bands: 4, lowHz: 100, highHz: 4000, windowMs: 10.125, floorDb: 40 };
  const level = 10 * Math.log10(1 + 10 ** 4);

  test('sends 13 events in each band at once, where a straight line reaches 3, 6 … 39 dB', () => {
    const times = Array.from({ length: 13 }, (_, i) => Math.round(45_000 + (5000 * 3 * (i + 1)) / level));
    const rows = times.flatMap((time) => [0, 1, 2, 3].map((band) => [time, band, 1]));
    expect(rowsOf(encode(click, audio))).toEqual(rows);
  });

  test('sends fewer with a higher threshold or floor', () => {
    expect(encode(click, { ...audio, thresholdDb: 10 }).tUs).toHaveLength(4 * 4);
    // 10 log10(1 + 10^2) = 20.04
    expect(encode(click, { ...audio, floorDb: 20 }).tUs).toHaveLength(4 * 6);
  });

  test('is as loud as its share of a sine of full scale, with a floor below that', () => {
    // The window's sum is 40: such a sine has a power of 400, and the click's is 1/400 of it, or 26.02 dB below.
    const events = encode(click, { ...audio, floorBelow: 'full-scale' });
    const ups = Math.floor((10 * Math.log10(1 + 10 ** 4 / 400)) / 3);
    expect(ups).toBe(4);
    expect(events.tUs).toHaveLength(4 * ups);
  });

  test('within a sound rises and falls, loudest where pre-emphasis lifts it most', () => {
    const events = encode([...click, ...Array.from({ length: 400 }, () => 0)], audio);
    for (let band = 0; band < 4; band++) {
      const [up, down] = [timesWhere(events, band, 1), timesWhere(events, band, 0)];
      expect(up).toHaveLength(down.length);
      expect(up.length).toBeGreaterThan(0);
      if (band === 3) expect(up).toHaveLength(13);
      expect(Math.max(...up)).toBeLessThanOrEqual(50_000);
      expect(Math.min(...down)).toBeGreaterThanOrEqual(50_000);
      // The level of time 0 is reached again where the window has left the click.
      expect(Math.max(...down)).toBeLessThanOrEqual(60_000);
    }
  });
});

describe('a tone', () => {
  const audio = { bands: 16, lowHz: 100, highHz: 3900 };
  const mel = (hertz: number) => Math.log(1 + hertz / 700);
  /** Where band b is 1. */
  const centre = (b: number) => 700 * (Math.exp(mel(100) + ((b + 1) * (mel(3900) - mel(100))) / 17) - 1);

  test.each([3, 8, 14])(
    'in the middle of band %d sends most events there, up as it begins, down as it ends',
    (band) => {
      // 100 to 300 ms, with soft ends of 50 ms.
      const tone = Array.from({ length: 3200 }, (_, i) => {
        const envelope = Math.max(0, Math.min(1, (i - 800) / 400, (2400 - i) / 400));
        return 0.5 * envelope * Math.sin((2 * Math.PI * centre(band) * i) / 8000);
      });
      const events = encode(tone, audio);
      const counts = Array.from({ length: 16 }, (_, b) => timesWhere(events, b, 1).length);
      // Its level is the maximum, 40 dB.
      expect(counts[band]).toBe(13);
      expect(counts.indexOf(Math.max(...counts))).toBe(band);
      const far = counts.filter((_, b) => Math.abs(b - band) > 2);
      expect(Math.max(...far)).toBeLessThanOrEqual(2);
      const [up, down] = [timesWhere(events, band, 1), timesWhere(events, band, 0)];
      expect(down).toHaveLength(13);
      expect(Math.min(...up)).toBeGreaterThan(85_000);
      expect(Math.max(...up)).toBeLessThan(165_000);
      expect(Math.min(...down)).toBeGreaterThan(240_000);
      // The last window with sound is that at 310 ms.
      expect(Math.max(...down)).toBeLessThanOrEqual(315_000);
    },
  );

  test('of the same loudness throughout sends events only at its ends', () => {
    const tone = Array.from({ length: 4000 }, (_, i) => Math.sin((2 * Math.PI * 1000 * i) / 8000));
    const times = [...encode(tone, audio).tUs];
    expect(times.filter((t) => t > 25_000 && t < 475_000)).toEqual([]);
    expect(times.length).toBeGreaterThan(0);
  });
});

describe('no events', () => {
  test.each([
    ['silence', Array.from({ length: 8000 }, () => 0)],
    ['a sound without samples', []],
    ['a sound so quiet that its floor is 0', Array.from({ length: 800 }, (_, i) => (i % 2) * 1e-162)],
  ])('come from %s, and a sentence says so', (_, samples) => {
    const { events, warnings } = decodeSound(soundOf(samples), 'quiet.wav', { highHz: 3800 });
    expect(events.tUs).toHaveLength(0);
    expect(warnings).toEqual([expect.stringMatching(/quiet\.wav.*no events/)]);
  });
});

describe('send on delta', () => {
  const send = (...levels: readonly number[]) =>
    rowsOf(eventsOfLevels(Float64Array.from(levels), { bands: 1, hopMs: 5, thresholdDb: 3 })).map(
      ([t, , p]) => [t, p],
    );

  test('takes a level exactly on a threshold as reached, once', () => {
    expect(send(0, 3, 3, 3)).toEqual([[5000, 1]]);
    expect(send(0, 3, 0, 3)).toEqual([
      [5000, 1],
      [10_000, 0],
      [15_000, 1],
    ]);
    expect(send(0, 2.999999999999999, 0)).toEqual([]);
    expect(send(0, -3)).toEqual([[5000, 0]]);
  });

  test('compares with the level of the last event, not with the one before', () => {
    expect(send(0, 2, 4, 2, 1, 0)).toEqual([
      [7500, 1],
      [25_000, 0],
    ]);
    expect(send(1, 2, 3, 4, 5, 6, 7).map(([t]) => t)).toEqual([15_000, 30_000]);
  });

  test('places several crossings within a step along a straight line', () => {
    expect(send(0, 6)).toEqual([
      [2500, 1],
      [5000, 1],
    ]);
    expect(send(10, 0)).toEqual([
      [1500, 0],
      [3000, 0],
      [4500, 0],
    ]);
  });

  test('rounds times to µs, halves up', () => {
    const rows = (level: number) =>
      rowsOf(eventsOfLevels(Float64Array.of(0, level), { bands: 1, hopMs: 0.001, thresholdDb: 3 }));
    // At 0.5 and 0.25 µs.
    expect(rows(6)[0]![0]).toBe(1);
    expect(rows(12)[0]![0]).toBe(0);
  });

  test('sorts by time, band and polarity', () => {
    const levels = Float64Array.of(...[0, 0, 0], ...[-3, 3, 0], ...[-3, 6, 6]);
    expect(rowsOf(eventsOfLevels(levels, { bands: 3, hopMs: 1, thresholdDb: 3 }))).toEqual([
      [1000, 0, 0],
      [1000, 1, 1],
      [1500, 2, 1],
      [2000, 1, 1],
      [2000, 2, 1],
    ]);
  });
});

describe('the floor', () => {
  const noise: number[] = [];
  for (let i = 0, x = 1; i < 1600; i++) {
    x = (1664525 * x + 1013904223) % 2 ** 32;
    noise.push((0.1 * (x - 2 ** 31)) / 2 ** 31);
  }
  const relative = { bands: 16, highHz: 3800 };
  const fixed = { ...relative, floorBelow: 'full-scale', floorDb: 60 } as const;
  const quieter = noise.map((sample) => sample / 8);
  const louderLater = [...noise, ...noise.map((sample) => 8 * sample)];
  /** Events long before the end of `noise`, at 200 ms. */
  const early = (events: Events) => rowsOf(events).filter(([t]) => t! < 180_000);

  test('below the clip’s maximum makes loudness irrelevant, but events depend on later sound', () => {
    expect(encode(quieter, relative)).toEqual(encode(noise, relative));
    expect(early(encode(louderLater, relative))).not.toEqual(early(encode(noise, relative)));
  });

  test('below full scale is causal, but loudness matters', () => {
    expect(early(encode(louderLater, fixed))).toEqual(early(encode(noise, fixed)));
    expect(encode(quieter, fixed)).not.toEqual(encode(noise, fixed));
  });

  test('and what was read before do not change the events', () => {
    const first = encode(noise, relative);
    encode(noise, fixed);
    encode(noise, relative, 16_000);
    expect(encode(noise, relative)).toEqual(first);
  });
});

describe('bands that cannot be are refused', () => {
  const message = (audio: Partial<AudioSettings>) => () => encode([0, 1, 0], audio);

  test('above half the sample rate, with both remedies', () => {
    expect(message({ highHz: 7600 })).toThrow(
      expect.objectContaining({
        code: 'audio-bands',
        where: 'a.wav',
        message: expect.stringMatching(/7600 Hz.*8000 Hz/),
        fix: expect.stringMatching(/15200 Hz.*audio\.highHz.*4000/),
      }),
    );
  });

  test.each([
    ['narrower than the step of the spectrum', { bands: 500 }, /band 1 of 500.*31\.25 Hz/],
    ['that end where they begin', { lowHz: 3000, highHz: 3000 }, /band 1 of 64/],
    ['that end before they begin', { lowHz: 3000, highHz: 1000 }, /band 1 of 64/],
  ])('%s', (_, audio, words) => {
    expect(message({ highHz: 3800, ...audio })).toThrow(
      expect.objectContaining({
        code: 'audio-bands',
        message: expect.stringMatching(words),
        fix: expect.stringMatching(/lowHz < highHz.*fewer bands.*windowMs/),
      }),
    );
  });
});
