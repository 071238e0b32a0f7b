import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeNpy } from '../../src/formats/npy.ts';
import { type ClipIndex, formatClipIndex, type Normalization } from '../../src/results/clip-index.ts';
import { labelsOf } from '../../src/training/frame-cache.ts';
import { openFrameCache } from '../../src/training/open-frames.ts';
import { sharedTemporaryFolder } from '../support/temporary-folder.ts';

const folder = sharedTemporaryFolder();

const frames = {
  steps: 1,
  splitBy: 'number',
  downsample: 1,
  height: 2,
  width: 3,
  dtype: 'uint8',
} as const;

/** A cache of two training clips and one test clip, [1, 2, 2, 3] each; or of arrays that do not fit it. */
async function writeCache(
  train = [2, 1, 2, 2, 3],
  test = [1, 1, 2, 2, 3],
  normalization: Normalization | null = null,
  images?: ClipIndex['images'],
  over: Partial<ClipIndex['frames']> = {},
): Promise<void> {
  for (const [name, shape] of Object.entries({ train, test })) {
    const data = new Uint8Array(shape.reduce((product, size) => product * size, 1)).fill(7);
    await writeFile(join(folder, `${name}.npy`), encodeNpy({ dtype: 'uint8', shape, data }));
  }
  const clip = {
    recording: 'a',
    user: 1,
    light: 'led',
    trial: 0,
    startUs: 0,
    endUs: 1,
    events: 84,
    ...(normalization === 'frequency' ? { durationsUs: [14] } : {}),
  };
  const text = formatClipIndex({
    dataset: 'dvs128-gesture',
    simulated: true,
    classes: ['clap', 'wave'],
    sensor: { height: 2, width: 3 },
    frames: { ...frames, normalization, ...(images && { splitBy: null }), ...over },
    ...(images && { images }),
    splits: {
      train: [
        { ...clip, class: 1 },
        { ...clip, class: 0 },
      ],
      test: [{ ...clip, class: 1 }],
    },
  });
  await writeFile(join(folder, 'clips.json'), text);
}

test('a frame cache is opened with its clips, their classes and the size of a frame', async () => {
  await writeCache();
  const cache = await openFrameCache(folder);
  expect(cache.input).toEqual([2, 2, 3]);
  expect([...labelsOf(cache.index.splits.train)]).toEqual([1, 0]);
  expect((await cache.test.read(Int32Array.of(0))).shape).toEqual([1, 1, 2, 2, 3]);
  await cache.close();
});

test('counts stay integers without normalisation', async () => {
  await writeCache();
  const cache = await openFrameCache(folder);
  expect((await cache.train.read(Int32Array.of(1))).data).toEqual(new Uint8Array(12).fill(7));
  await cache.close();
});

// Two maps (one a polarity) of 2 x 3 pixels, each of which has 7 events.
test.each<[Normalization, number]>([
  ['max', 1], // 7 / 7
  ['sum', 1 / 6], // 7 / 42
  ['norm', 0], // (7 - 7) / √max(0, ε)
  ['frequency', 0.5], // 7 events in 14 µs
])('counts are normalised by %s when they are read, for training and for testing', async (kind, expected) => {
  await writeCache(undefined, undefined, kind);
  const cache = await openFrameCache(folder);
  for (const [source, row] of [
    [cache.train, 1],
    [cache.test, 0],
  ] as const) {
    const { shape, data } = await source.read(Int32Array.of(row));
    expect(shape).toEqual([1, 1, 2, 2, 3]);
    expect(data).toEqual(new Float32Array(12).fill(expected));
  }
  await cache.close();
});

test.each([
  [
    'a clip too few',
    [1, 1, 2, 2, 3],
    undefined,
    'train.npy has 1 clips of [1, 2, 2, 3], expected 2 of [1, 2, 2, 3]',
  ],
  [
    'frames of another size',
    undefined,
    [1, 1, 2, 3, 2],
    'test.npy has 1 clips of [1, 2, 3, 2], expected 1 of',
  ],
  [
    'more steps than it says',
    [2, 2, 2, 2, 3],
    [1, 2, 2, 2, 3],
    'train.npy has 2 clips of [2, 2, 2, 3], expected 2 of',
  ],
])('a frame cache with %s is rejected', async (_, train, tested, message) => {
  await writeCache(train, tested);
  await expect(openFrameCache(folder)).rejects.toMatchObject({
    code: 'frames-invalid',
    message: expect.stringContaining(message),
    fix: expect.stringContaining('repro run frames'),
  });
});

test('still images are shown as clips.json says, in training and in testing', async () => {
  await writeCache(undefined, undefined, null, { mean: [0, 0], std: [1, 0.5], augmentation: 'none' });
  const cache = await openFrameCache(folder);
  const shown = Float32Array.from({ length: 12 }, (_, i) => (i < 6 ? 7 / 255 : 14 / 255));
  for (const source of [cache.train, cache.test])
    expect((await source.read(Int32Array.of(0))).data).toEqual(shown);
  await cache.close();
});

test('images become clips of rows if clips.json says so', async () => {
  const images = { mean: [0, 0], std: [1, 0.5], augmentation: 'none' } as const;
  await writeCache(undefined, undefined, null, images, { steps: 2, height: 1, splitBy: 'rows' });
  const cache = await openFrameCache(folder);
  expect(cache.input).toEqual([2, 1, 3]);
  const row = [7, 7, 7, 14, 14, 14].map((value) => Math.fround(value / 255));
  const { shape, data } = await cache.train.read(Int32Array.of(1));
  expect([shape, [...data]]).toEqual([
    [1, 2, 2, 1, 3],
    [...row, ...row],
  ]);
  await cache.close();
});

/** Five training clips and four test clips of users 0, 1 and 2 by turns, each with counts and durations of its own. */
async function writeUsers(normalization: Normalization | null) {
  const known = (place: number) => ({
    ...{ recording: 'a', user: place % 3, light: 'led', trial: 0, class: place % 2 },
    ...{ startUs: 0, endUs: 1, events: 99 },
    ...(normalization === 'frequency' ? { durationsUs: [place + 1] } : {}),
  });
  const clips = Array.from({ length: 9 }, (_, place) => known(place));
  for (const [name, from, to] of [
    ['train', 0, 5],
    ['test', 5, 9],
  ] as const) {
    const data = Uint8Array.from({ length: (to - from) * 12 }, (_, i) => 12 * from + i);
    await writeFile(
      join(folder, `${name}.npy`),
      encodeNpy({ dtype: 'uint8', shape: [to - from, 1, 2, 2, 3], data }),
    );
  }
  const text = formatClipIndex({
    ...{
      dataset: 'dvs128-gesture',
      simulated: true,
      classes: ['clap', 'wave'],
      sensor: { height: 2, width: 3 },
    },
    frames: { ...frames, normalization },
    splits: { train: clips.slice(0, 5), test: clips.slice(5) },
  });
  await writeFile(join(folder, 'clips.json'), text);
  return clips;
}

test.each<[Normalization | null, (count: number, place: number) => number]>([
  [null, (count) => count],
  ['frequency', (count, place) => Math.fround(count / (place + 1))],
])('with users to test, the clips of both files are split by user, normalised by %s', async (kind, shown) => {
  const clips = await writeUsers(kind);
  const cache = await openFrameCache(folder, () => [0, 2]);
  expect([...cache.rows.test]).toEqual([...clips.keys()].filter((place) => clips[place]?.user !== 1));
  expect([...cache.rows.train]).toEqual([...clips.keys()].filter((place) => clips[place]?.user === 1));
  for (const split of ['train', 'test'] as const) {
    expect(cache.index.splits[split]).toEqual(clips);
    // In an order in which the files take turns.
    const rows = cache.rows[split].toSorted((a, b) => (a % 5) - (b % 5));
    const { shape, data } = await cache[split].read(rows);
    expect(shape).toEqual([rows.length, 1, 2, 2, 3]);
    expect([...data]).toEqual(
      [...rows].flatMap((place) => Array.from({ length: 12 }, (_, i) => shown(12 * place + i, place))),
    );
  }
  await cache.close();
});

test('without users to test, all clips of each file are in use', async () => {
  await writeUsers(null);
  const { rows, testUsers, close } = await openFrameCache(folder);
  expect([[...rows.train], [...rows.test], testUsers]).toEqual([[0, 1, 2, 3, 4], [0, 1, 2, 3], undefined]);
  await close();
});
