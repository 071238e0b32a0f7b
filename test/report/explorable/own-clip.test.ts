import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { decodeAedat3 } from '../../../src/data/events/aedat3-parser.ts';
import { type Events, makeEvents } from '../../../src/data/events/events.ts';
import { integrateFrames } from '../../../src/data/events/frames.ts';
import { decodeSound } from '../../../src/data/events/sound-events.ts';
import {
  cutRecording,
  filmPath,
  makeOwnClip,
  type PathPoint,
  readOwnClip,
  readRecording,
} from '../../../src/report/explorable/own-clip.ts';
import type { FrameSetting } from '../../../src/report/explorable/payload.ts';
import { goldenEvents } from '../../support/golden-events.ts';
import { encoders } from '../../support/own-recordings.ts';
import { u16, wav } from '../../support/wav-fixture.ts';

const root = new URL('../..', import.meta.url);
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, root)));
/** Of a camera with 128 x 128 pixels. */
const GESTURES = { steps: 4, splitBy: 'number', downsample: 4, height: 32, width: 32 } as const;
const DAVIS = { ...GESTURES, downsample: 2, height: 130, width: 173 };
const DIGITS = { ...GESTURES, downsample: 1, height: 34, width: 34 };

/** From column 30 to 90 of row 64 in half a second. */
const RIGHT: readonly PathPoint[] = [
  { tUs: 0, x: 30, y: 64 },
  { tUs: 500_000, x: 90, y: 64 },
];

const rowsOf = ({ tUs, x, y, p }: Events) =>
  Array.from(tUs, (t, i) => ({ tUs: t, x: x[i]!, y: y[i]!, p: p[i]! }));

test('a bright disc that moves right gives ON events at its front and OFF events behind', () => {
  const events = rowsOf(filmPath(RIGHT));
  const ahead = ({ tUs, x }: (typeof events)[number]) => x - (30 + (60 * tUs) / 500_000);
  const near = events.filter((event) => Math.abs(event.y - 64) <= 2 && Math.abs(ahead(event)) <= 7);
  // Over 5 rows, each of the 60 columns brightens and darkens at least once.
  for (const p of [0, 1]) expect(near.filter((event) => event.p === p).length).toBeGreaterThan(300);
  const expected = near.filter((event) => Math.sign(ahead(event)) === (event.p === 1 ? 1 : -1));
  expect(expected.length / near.length).toBeGreaterThan(0.97);
  // Noise is 0.04 events a second and pixel: about 330; hot pixels are six.
  expect(events.filter((event) => Math.abs(event.y - 64) > 8).length).toBeLessThan(500);
});

test('frames of a loaded recording are those of the run', async () => {
  const bytes = read('golden/recording.aedat');
  const { events } = await readRecording(bytes, 'a.aedat', GESTURES);
  expect(events).toEqual(goldenEvents('aedat_events'));
  const file = new File([bytes], 'a.aedat');
  const clip = await readOwnClip({ frames: GESTURES, file, startSeconds: 0, lengthSeconds: 60 });
  expect(clip).toMatchObject({ events: 300, seconds: 2, warnings: [] });
  const sensor = { height: 128, width: 128 };
  const counts = new Uint16Array(4 * 2 * 32 * 32);
  integrateFrames(decodeAedat3(bytes, { file: 'a.aedat', sensor }).events, { ...GESTURES, sensor }, counts);
  expect(clip.frames).toEqual(Float32Array.from(counts));
});

test('a file that ends in .bin is of the page’s sensor if its events fit, as of the task of two time scales', async () => {
  // x 3, y 2, ON, 65536 + 2 · 256 + 1 µs.
  const bytes = Uint8Array.of(3, 2, 0x81, 2, 1);
  for (const frames of [DIGITS, GESTURES]) {
    const { events } = await readRecording(bytes, 'a.bin', frames);
    expect([events.x[0], events.y[0], events.p[0], events.tUs[0]]).toEqual([3, 2, 1, 66_049]);
  }
  const scales = { ...DIGITS, height: 1, width: 5 };
  expect((await readRecording(Uint8Array.of(3, 0, 0, 0, 0), 'a.bin', scales)).events.x[0]).toBe(3);
  // The smallest common sensor that the event fits.
  const outside = readRecording(bytes, 'a.bin', scales);
  await expect(outside).rejects.toThrow('34 × 34 pixels; the networks of this page expect 5 columns');
  const far = readRecording(Uint8Array.of(34, 2, 0, 0, 0), 'a.bin', DIGITS);
  await expect(far).rejects.toThrow('128 × 128 pixels; the networks of this page expect 34 × 34 pixels');
});

test('another sensor, larger or smaller, and a file of another kind, are refused in words', async () => {
  const large = readRecording(read('fixtures/formats/davis-none.aedat4'), 'a.aedat4', GESTURES);
  await expect(large).rejects.toMatchObject({
    code: 'own-sensor',
    message:
      'the sensor has 346 × 260 pixels; the networks of this page expect 128 × 128 pixels. Recordings are not scaled: choose one that fits.',
  });
  // Old AEDAT does not say the sensor: that of the smallest camera, also where the events would fit.
  const small = readRecording(read('golden/recording.aedat'), 'a.aedat', DAVIS);
  await expect(small).rejects.toThrow('128 × 128 pixels; the networks of this page expect 346 × 260 pixels');
  const other = readRecording(Uint8Array.of(1, 2, 3), 'a.aedat', GESTURES);
  await expect(other).rejects.toMatchObject({
    code: 'recording-format',
    message:
      'this is not a recording in AEDAT 2.0, 3.1 or 4.0, and its name does not end in .bin, .npy, .npz or .wav.',
  });
});

test('a part counts from the first event, and an empty one is refused', () => {
  const tUs = Float64Array.of(5e6, 6e6, 6.5e6, 8e6);
  const events = { tUs, x: new Uint16Array(4), y: new Uint16Array(4), p: new Uint8Array(4) };
  const cut = (frames: FrameSetting, startSeconds: number, lengthSeconds: number) =>
    cutRecording(events, { startSeconds, lengthSeconds, frames });
  expect([...cut(DAVIS, 1, 1.5).tUs]).toEqual([6e6, 6.5e6]);
  // Where frames begin at the start of the file, the part does, too, and so do its times.
  expect([...cut({ ...DAVIS, from: 'file' }, 5.5, 1.5).tUs]).toEqual([0.5e6, 1e6]);
  expect(() => cut(DAVIS, 4, 1)).toThrow('no events in this part of the recording, which lasts 3.0 s');
  const none = { startSeconds: 0, lengthSeconds: 1, frames: DAVIS };
  expect(() => cutRecording(makeEvents(0), none)).toThrow('this file has no events.');
});

test('a .npy is read as the data set of the page says', async () => {
  const rows: [number, number, number, number][] = [
    [10, 5, 1, 1],
    [20, 6, 2, 0],
  ];
  const bytes = encoders.npy(rows);
  const npy = { columns: ['t', 'x', 'y', 'p'], timeUnit: 'ms' } as const;
  const { events } = await readRecording(bytes, 'a.npy', { ...DAVIS, npy });
  expect([...events.tUs]).toEqual([10_000, 20_000]);
});

test('sound is heard as the data set of the page encodes it', async () => {
  const click = u16(...Array.from({ length: 1600 }, (_, i) => (i === 800 ? 20_000 : 0)));
  const bands = { ...DAVIS, steps: 10, splitBy: 'duration', durationUs: 10_000, from: 'file' } as const;
  const frames = { ...bands, height: 1, width: 64, downsample: 1, audio: { thresholdDb: 6 } };
  const { events } = await readRecording(wav({}, click), 'a.wav', frames);
  expect(events).toEqual(decodeSound(wav({}, click), 'a.wav', { thresholdDb: 6 }).events);
  const { frames: counts } = makeOwnClip(events, frames);
  // Silence in the first three of ten frames: the click is at 50 ms, and a window reaches 12.5 ms around it.
  const perFrame = Array.from({ length: 10 }, (_, t) => counts.slice(128 * t, 128 * (t + 1)).some(Boolean));
  expect(perFrame).toEqual([false, false, false, true, true, true, true, false, false, false]);
  const narrow = readRecording(wav({}, click), 'a.wav', { ...frames, width: 32 });
  await expect(narrow).rejects.toThrow('the sensor has 64 bands; the networks of this page expect 32 bands');
});

test('readers run where there is nothing of Node, with the same events', async () => {
  const bundled = await build({
    entryPoints: [new URL('../src/report/explorable/own-clip.ts', root).pathname],
    ...{ bundle: true, write: false, platform: 'browser', format: 'iife', globalName: 'own' },
  });
  // A few names of browsers, and arrays of this realm, so that results can be compared. WebAssembly is of the language.
  const browser = { TextDecoder, fetch, Uint8Array, Float64Array, Uint16Array };
  const own = runInNewContext(`${bundled.outputFiles[0]!.text}; own`, browser);
  const files = ['none', 'lz4', 'lz4-high', 'zstd'].map((kind) => `fixtures/formats/davis-${kind}.aedat4`);
  const others = ['fixtures/formats/cifar10-dvs.aedat', 'golden/recording.aedat'];
  const arrays = ['npy', 'npz'].map((kind) => `fixtures/formats/events.${kind}`);
  for (const file of [...files, ...others, ...arrays]) {
    // Those of arrays have coordinates up to 239 and 179, and no sensor of their own.
    const frames = others.includes(file) ? GESTURES : DAVIS;
    const here = await readRecording(read(file), file, frames);
    expect(await own.readRecording(read(file), file, frames), file).toEqual(here);
  }
});
