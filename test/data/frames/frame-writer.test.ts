import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Dataset } from '../../../src/data/contract/dataset.ts';
import { encodeAedat3 } from '../../../src/data/events/aedat3-encode.ts';
import { formatLabels } from '../../../src/data/events/labels.ts';
import { PolarityTally } from '../../../src/data/frames/frame-rows.ts';
import { type FrameSettings, writeFrames } from '../../../src/data/frames/frame-writer.ts';
import { openDataset } from '../../../src/data/open-dataset.ts';
import { decodeNpy } from '../../../src/formats/npy.ts';
import { parseClipIndex } from '../../../src/results/clip-index.ts';
import { GESTURES, NMNIST } from '../../support/datasets.ts';
import {
  EVENTS_PER_GESTURE,
  GESTURE_US,
  gestureFiles,
  LABELS,
  packGestures,
  writeGestures,
} from '../../support/gesture-fixture.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let root: string;
let output: string;
beforeEach(async () => {
  root = await temporaryFolder();
  output = path.join(root, 'out');
});

const settings: FrameSettings = { steps: 2, splitBy: 'number', downsample: 32, invalidEvents: 'keep' };
const gestures = openDataset(GESTURES);
const base = { dataset: gestures, simulated: false, settings };

/** Writes the frames of the small data set as it is. */
async function make(more: Partial<Parameters<typeof writeFrames>[0]> = {}) {
  await writeGestures(root, gestureFiles(false));
  return writeFrames({ ...base, root, output, ...more });
}

async function readArray(name: string) {
  return decodeNpy(await readFile(path.join(output, name)), name);
}

describe('the frame cache of gesture recordings', () => {
  test('has a row per clip, sorted by recording and then by label order', async () => {
    const done: string[] = [];
    const file = await make({ progress: (count, total) => done.push(`${count}/${total}`) });
    expect(JSON.parse(await readFile(path.join(output, 'clips.json'), 'utf8'))).toEqual({
      version: 1,
      ...file,
    });
    expect(file).toMatchObject({
      dataset: 'dvs128-gesture',
      simulated: false,
      sensor: { height: 128, width: 128 },
      frames: {
        steps: 2,
        splitBy: 'number',
        downsample: 32,
        height: 4,
        width: 4,
        dtype: 'uint8',
        normalization: null,
      },
    });
    expect(file.splits.train).toHaveLength(36);
    expect(file.splits.train[13]).toEqual({
      recording: 'user01_natural.aedat',
      user: 1,
      light: 'natural',
      trial: 2, // the third in trials_to_train.txt, though the second by name
      class: 1,
      startUs: 2 * GESTURE_US,
      endUs: 3 * GESTURE_US,
      events: EVENTS_PER_GESTURE,
    });
    expect(file.splits.train.map((clip) => clip.recording)).toEqual(
      ['user01_led.aedat', 'user01_natural.aedat', 'user02_led.aedat'].flatMap((name) =>
        Array(12).fill(name),
      ),
    );
    expect(done).toEqual(['1/4', '2/4', '3/4', '4/4']);

    const train = await readArray('train.npy');
    expect([train.dtype, train.shape]).toEqual(['uint8', [36, 2, 2, 4, 4]]);
    // All events are "on" (channel 1) at y 5, x <= 3: the first pixel of 4 x 4.
    const frame = new Array(32).fill(0);
    frame[16] = EVENTS_PER_GESTURE / 2;
    expect([...train.data]).toEqual(Array(72).fill(frame).flat());
    expect((await readArray('test.npy')).shape).toEqual([12, 2, 2, 4, 4]);
  });

  test('gives events in two segments to the earlier clip only with overlaps: earlier, and says so', async () => {
    const files = gestureFiles(false);
    // The third gesture begins before the second ends, by 3 of its 10 events.
    const labels = LABELS.map((label, i) => (i === 2 ? { ...label, startUs: label.startUs - 300 } : label));
    files.set('user24_led_labels.csv', new TextEncoder().encode(formatLabels(labels)));
    await writeGestures(root, files);
    const limit = { test: 1 }; // the second gesture is cut even if it is not kept
    const make = async (overlaps: 'both' | 'earlier', more = {}) => {
      const folder = path.join(root, overlaps);
      await writeFrames({ ...base, settings: { ...settings, overlaps, ...more }, root, output: folder });
      return parseClipIndex(await readFile(path.join(folder, 'clips.json'), 'utf8'), 'clips.json');
    };
    const [both, earlier] = [await make('both'), await make('earlier', { limit })];
    expect(both.frames).not.toHaveProperty('overlaps');
    expect(earlier.frames.overlaps).toBe('earlier');
    const { startUs } = LABELS[2]!;
    expect(both.splits.test[2]).toMatchObject({ startUs: startUs - 300, events: EVENTS_PER_GESTURE + 3 });
    expect(earlier.splits.test[2]).toMatchObject({ startUs, events: EVENTS_PER_GESTURE });
    expect(earlier.splits.test[1]?.events).toBe(EVENTS_PER_GESTURE);
  });

  test('is byte-identical from the archive, whatever its order', async () => {
    await make();
    const archive = path.join(root, 'DvsGesture.tar.gz');
    await packGestures(root, archive);
    const second = path.join(root, 'second');
    await writeFrames({ ...base, root: archive, output: second });
    for (const name of ['train.npy', 'test.npy', 'clips.json']) {
      expect(await readFile(path.join(second, name))).toEqual(await readFile(path.join(output, name)));
    }
    expect((await readdir(second)).sort()).toEqual(['clips.json', 'test.npy', 'train.npy']);
  });

  test('widens both splits when one count does not fit, and stores it exactly', async () => {
    const files = gestureFiles(false);
    const length = 600;
    const crowded = {
      tUs: Float64Array.from({ length }, (_, i) => 12 * GESTURE_US + i),
      x: new Uint16Array(length),
      y: new Uint16Array(length),
      p: new Uint8Array(length),
    };
    files.set('user24_led.aedat', encodeAedat3(crowded));
    await writeGestures(root, files);
    const warnings: string[] = [];
    const file = await writeFrames({ ...base, root, output, warn: (text) => warnings.push(text) });
    expect(file.frames.dtype).toBe('uint16');
    const [train, tested] = [await readArray('train.npy'), await readArray('test.npy')];
    expect([train.dtype, tested.dtype]).toEqual(['uint16', 'uint16']);
    expect(tested.data[11 * 64]).toBe(300);
    expect(train.data[16]).toBe(5);
    expect(warnings).toEqual([
      expect.stringMatching(/^11 clips with fewer events than frames \(2\), most of which are empty: /),
    ]);
  });

  test('takes the first clips of each class on request', async () => {
    const { splits } = await make({ settings: { ...settings, limit: { train: 2 } } });
    expect(splits.train).toHaveLength(22);
    expect(splits.train.filter((clip) => clip.class === 7).map((clip) => clip.recording)).toEqual([
      'user01_led.aedat',
      'user01_led.aedat',
    ]);
    expect(splits.test).toHaveLength(12);
  });

  test('stores counts, and frame durations for normalisation by frequency', async () => {
    await make();
    const counts = await readFile(path.join(output, 'train.npy'));
    const second = path.join(root, 'second');
    const normalised = { ...settings, normalization: 'frequency' } as const;
    const { frames, splits } = await make({ output: second, settings: normalised });
    expect(await readFile(path.join(second, 'train.npy'))).toEqual(counts);
    expect(frames.normalization).toBe('frequency');
    // An event every 100 µs, five per frame: up to the next frame's first event, and in the last frame up to the last one.
    expect(splits.test.map(({ durationsUs }) => durationsUs)).toEqual(Array(12).fill([500, 400]));
  });

  test('by duration leaves out later events, says how many clips are longer, and divides by the duration', async () => {
    const warnings: string[] = [];
    const own: FrameSettings = {
      ...{ steps: 2, splitBy: 'duration', durationUs: 300, downsample: 32, normalization: 'frequency' },
    };
    const file = await make({ settings: own, warn: (text) => warnings.push(text) });
    expect(file.frames).toMatchObject({ splitBy: 'duration', durationUs: 300, normalization: 'frequency' });
    expect(parseClipIndex(await readFile(path.join(output, 'clips.json'), 'utf8'), 'clips.json')).toEqual(
      file,
    );
    // Ten events a clip, one every 100 µs: three per frame, four are later.
    expect(file.splits.train[0]).toMatchObject({ events: 6, durationsUs: [300, 300] });
    const { data } = await readArray('train.npy');
    expect([data[16], data[48]]).toEqual([3, 3]);
    expect(Array.from(data, Number).reduce((a, b) => a + b, 0)).toBe(36 * 6);
    expect(warnings).toEqual([
      expect.stringMatching(/^48 clips longer than 2 frames of 300 µs; later events are left out: user01/),
    ]);
  });

  test('has the sensor’s resolution and all events by default', async () => {
    const { frames } = await make({ settings: { steps: 1, splitBy: 'time' } });
    expect(frames).toMatchObject({ downsample: 1, height: 128, width: 128 });
  });

  test('leaves no array behind when a recording cannot be read', async () => {
    const files = gestureFiles(false);
    files.set('user02_led.aedat', files.get('user02_led.aedat')!.subarray(0, 600));
    await writeGestures(root, files);
    await expect(writeFrames({ ...base, root, output })).rejects.toMatchObject({ code: 'aedat-truncated' });
    expect(await readdir(output)).toEqual([]);
  });

  test('does not leave a row of zeros for a clip that was listed but not read', async () => {
    const forgetful: Dataset = {
      ...gestures,
      readClips: (from, clips, options, visit) =>
        gestures.readClips(from, clips, options, async (clip) => {
          if (clip.split === 'train' || clip.row !== 5) await visit(clip);
        }),
    };
    await expect(make({ dataset: forgetful })).rejects.toMatchObject({
      code: 'data-corrupt',
      message: 'user24_led.aedat: listed but not read.',
    });
    expect(await readdir(output)).toEqual([]);
  });

  test('stops when the signal is aborted, and says what is missing', async () => {
    await expect(make({ signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow('stopped');
    await rm(path.join(root, 'DvsGesture', 'user01_led.aedat'));
    await expect(writeFrames({ ...base, root, output })).rejects.toMatchObject({
      code: 'data-corrupt',
      message: 'user01_led.aedat: missing.',
    });
  });

  test('refuses a downsample that does not divide the sensor', async () => {
    await expect(make({ settings: { ...settings, downsample: 3 } })).rejects.toMatchObject({
      code: 'frames',
      message: expect.stringContaining('frames.downsample'),
    });
  });
});

test('the frame cache of N-MNIST has a row per sample, which lasts from its first event to its last', async () => {
  const sample = Uint8Array.of(1, 2, 0x80, 0, 100, 33, 2, 0, 0, 200, 33, 2, 0, 0, 250);
  for (const name of ['Train/7/00010.bin', 'Train/7/00009.bin', 'Test/0/00001.bin']) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), sample);
  }
  const own = { ...settings, downsample: 1, steps: 1 };
  const file = await writeFrames({
    dataset: openDataset(NMNIST),
    simulated: false,
    settings: own,
    root,
    output,
  });
  expect(file.splits.train).toEqual(
    ['Train/7/00009.bin', 'Train/7/00010.bin'].map((recording) => ({
      recording,
      user: null,
      light: null,
      trial: null,
      class: 7,
      startUs: 100,
      endUs: 251,
      events: 3,
    })),
  );
  const { shape, data } = await readArray('test.npy');
  expect(shape).toEqual([1, 1, 2, 34, 34]);
  expect(data[(34 + 2) * 34 + 1]).toBe(1);
  expect(data[2 * 34 + 33]).toBe(2);
});

test('events are added up by polarity and split, over clips and steps', () => {
  const tally = new PolarityTally();
  // Two steps, two polarities, a frame of one row and two pixels.
  tally.add('train', Uint8Array.of(1, 2, 10, 20, 4, 8, 40, 80), 2);
  tally.add('train', Uint8Array.of(0, 0, 1, 0, 0, 0, 0, 0), 2);
  tally.add('test', Uint16Array.of(300, 0, 0, 7), 1);
  expect(tally.metrics()).toEqual({
    'events.off.train': 15,
    'events.on.train': 151,
    'events.off.test': 300,
    'events.on.test': 7,
  });
});
