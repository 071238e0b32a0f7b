import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { decodeAedat3 } from '../../src/events/aedat3.ts';
import { integrateFrames } from '../../src/events/frames.ts';
import { cutRecording, framesOf, readOwnRecording } from '../../src/explore/own-recording.ts';
import { goldenEvents } from '../support/golden-events.ts';

const root = new URL('../', import.meta.url);
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, root)));
const GESTURES = {
  dataset: 'dvs128-gesture',
  frames: { steps: 4, splitBy: 'number', downsample: 4, height: 32, width: 32 },
} as const;
const DAVIS = { ...GESTURES, frames: { ...GESTURES.frames, downsample: 2, height: 130, width: 173 } };

test('frames of a loaded recording are those of the run', async () => {
  const bytes = read('golden/recording.aedat');
  const { events, format } = await readOwnRecording(bytes, 'a.aedat', GESTURES);
  expect(format).toBe('AEDAT 3.1');
  expect(events).toEqual(goldenEvents('aedat_events'));
  const sensor = { height: 128, width: 128 };
  const counts = new Uint16Array(4 * 2 * 32 * 32);
  integrateFrames(
    decodeAedat3(bytes, { file: 'a.aedat', sensor }).events,
    { ...GESTURES.frames, sensor },
    counts,
  );
  expect(framesOf(events, GESTURES.frames)).toEqual(Float32Array.from(counts));
});

test('a file that ends in .bin is read as N-MNIST, on the sensor that the networks know', async () => {
  // x 3, y 2, ON, 65536 + 2 · 256 + 1 µs.
  const bytes = Uint8Array.of(3, 2, 0x81, 2, 1);
  const { events } = await readOwnRecording(bytes, 'a.bin', GESTURES);
  expect([events.x[0], events.y[0], events.p[0], events.tUs[0]]).toEqual([3, 2, 1, 66_049]);
  const outside = readOwnRecording(Uint8Array.of(200, 2, 0, 0, 0), 'a.bin', GESTURES);
  await expect(outside).rejects.toMatchObject({ code: 'nmnist-event' });
});

test('a sensor that is too large, and a file of another kind, are refused in words', async () => {
  const large = readOwnRecording(read('fixtures/formats/davis-none.aedat4'), 'a.aedat4', GESTURES);
  await expect(large).rejects.toMatchObject({
    code: 'own-sensor',
    message: 'the sensor has 346 x 260 pixels; the networks of this page expect 128 x 128.',
  });
  const other = readOwnRecording(Uint8Array.of(1, 2, 3), 'a.aedat', GESTURES);
  await expect(other).rejects.toMatchObject({ code: 'recording-format' });
});

test('a part counts from the first event, and an empty one is refused', () => {
  const tUs = Float64Array.of(5e6, 6e6, 6.5e6, 8e6);
  const events = { tUs, x: new Uint16Array(4), y: new Uint16Array(4), p: new Uint8Array(4) };
  expect([...cutRecording(events, 1, 1.5).tUs]).toEqual([6e6, 6.5e6]);
  expect(() => cutRecording(events, 4, 1)).toThrow(
    'no events in this part of the recording, which lasts 3.0 s',
  );
});

test('readers run where there is nothing of Node, with the same events', async () => {
  const bundled = await build({
    entryPoints: [new URL('../src/explore/own-recording.ts', root).pathname],
    ...{ bundle: true, write: false, platform: 'browser', format: 'iife', globalName: 'own' },
  });
  // A few names of browsers, and arrays of this realm, so that results can be compared. WebAssembly is of the language.
  const browser = { TextDecoder, fetch, Uint8Array, Float64Array, Uint16Array };
  const own = runInNewContext(`${bundled.outputFiles[0]!.text}; own`, browser);
  const files = ['none', 'lz4', 'lz4-high', 'zstd'].map((kind) => `fixtures/formats/davis-${kind}.aedat4`);
  for (const file of [...files, 'fixtures/formats/cifar10-dvs.aedat', 'golden/recording.aedat']) {
    const here = await readOwnRecording(read(file), file, DAVIS);
    expect(await own.readOwnRecording(read(file), file, DAVIS), file).toEqual(here);
  }
});
