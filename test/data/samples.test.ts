import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ASL_DVS } from '../../src/data/asl-dvs.ts';
import { CIFAR10_DVS, CIFAR10_DVS_LAYOUT } from '../../src/data/cifar10-dvs.ts';
import { writeFrames } from '../../src/data/frames/frame-writer.ts';
import { splitSamples } from '../../src/data/samples/layout.ts';
import { verifySamples } from '../../src/data/samples/verify.ts';
import { decodeNpy } from '../../src/formats/npy.ts';
import { parseClipIndex } from '../../src/results/clip-index.ts';
import { md5 } from '../support/gesture-fixture.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { makeZip } from '../support/zip-fixture.ts';

let root: string;
beforeEach(async () => {
  root = await temporaryFolder();
});

const fixtures = path.resolve(import.meta.dirname, '../fixtures/formats');
const real = { simulated: false };

async function write(name: string, bytes: Uint8Array): Promise<void> {
  const file = path.join(root, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, bytes);
}

describe('CIFAR10-DVS', () => {
  const name = (label: string, number: number) => `${label}/cifar10_${label}_${number}.aedat`;

  test('reads folders and zips', async () => {
    const bytes = await readFile(path.join(fixtures, 'cifar10-dvs.aedat'));
    for (const label of CIFAR10_DVS.classes) {
      if (label === 'truck') continue;
      for (const number of [0, 1, 2, 10]) await write(name(label, number), bytes);
    }
    const zip = makeZip([0, 1].map((number) => ({ name: name('truck', number), bytes })));
    await write('truck.zip', zip);
    await expect(CIFAR10_DVS.verify(root, real)).rejects.toMatchObject({
      code: 'data-corrupt',
      message: expect.stringMatching(/truck\.zip .* is not 89f3922f/),
    });
    const parts = CIFAR10_DVS_LAYOUT.parts.map((part) => ({ ...part, md5: md5(zip) }));
    const manifest = await verifySamples({ ...CIFAR10_DVS_LAYOUT, parts }, root, real);
    expect(manifest).toMatchObject({
      dataset: 'cifar10-dvs',
      archive: false,
      perClass: { airplane: 4, truck: 2 },
    });
    expect(manifest.warnings).toContain("28 training samples instead of CIFAR10-DVS's 9,000.");
  });

  test('puts the last tenth of each class by number into the test split', async () => {
    const bytes = await readFile(path.join(fixtures, 'cifar10-dvs.aedat'));
    for (const label of CIFAR10_DVS.classes) {
      for (let number = 0; number < 20; number++) await write(name(label, number), bytes);
    }
    const { train, test: held } = await CIFAR10_DVS.listClips(root, real);
    expect(train).toHaveLength(180);
    // By code unit, the last would be cifar10_bird_8 and _9.
    expect(held.filter((clip) => clip.class === 2).map((clip) => clip.recording)).toEqual([
      name('bird', 18),
      name('bird', 19),
    ]);
    const read: string[] = [];
    const wanted = { train: train.slice(0, 1), test: held.slice(-1) };
    await CIFAR10_DVS.readClips(root, wanted, { ...real, invalidEvents: 'keep' }, async (clip) => {
      read.push(`${clip.split} ${clip.row} ${clip.events.count}`);
      expect(clip.endUs).toBeGreaterThan(clip.startUs);
    });
    expect(read).toHaveLength(2);
  });

  test('needs every class, and says which is missing', async () => {
    await write(name('airplane', 0), await readFile(path.join(fixtures, 'cifar10-dvs.aedat')));
    await expect(CIFAR10_DVS.verify(root, real)).rejects.toMatchObject({
      code: 'data-missing',
      message: expect.stringContaining('neither automobile/ nor automobile.zip'),
      fix: expect.stringContaining('repro data fetch cifar10-dvs'),
    });
  });
});

describe('ASL-DVS', () => {
  test('reads zips of letters, of which j and z do not exist', async () => {
    expect(ASL_DVS.classes).toHaveLength(24);
    expect(ASL_DVS.classes).not.toContain('j');
    const bytes = await readFile(path.join(fixtures, 'asl-dvs.mat'));
    for (const letter of ASL_DVS.classes) {
      const numbers = Array.from({ length: 10 }, (_, i) => String(i + 1).padStart(4, '0'));
      const members = numbers.map((number) => ({ name: `${letter}/${letter}_${number}.mat`, bytes }));
      await write(`${letter}.zip`, makeZip(members));
    }
    const manifest = await ASL_DVS.verify(root, real);
    expect(manifest).toMatchObject({
      archive: true,
      splits: { train: { clips: 192 }, test: { clips: 48 } },
      perClass: { a: 10, y: 10 },
    });
    const { test: held } = await ASL_DVS.listClips(root, real);
    expect(held[0]).toMatchObject({ recording: 'a/a_0009.mat', class: 0 });
    expect(held.at(-1)).toMatchObject({ recording: 'y/y_0010.mat', class: 23 });
  });

  test('has the original’s sheared frames with rowStride: height, and says so in clips.json', async () => {
    const bytes = await readFile(path.join(fixtures, 'asl-dvs.mat'));
    for (const letter of ASL_DVS.classes) {
      for (const i of [1, 2]) await write(`data/${letter}/${letter}_${i}.mat`, bytes);
    }
    const { x, y, p } = JSON.parse(await readFile(path.join(fixtures, 'expected.json'), 'utf8'))[
      'asl-dvs.mat'
    ];
    const limit = { train: 1, test: 1 };
    const made = async (name: string, rowStride: 'width' | 'height') => {
      const [output, data] = [path.join(root, name), path.join(root, 'data')];
      const settings = { steps: 1, splitBy: 'number', limit, rowStride } as const;
      await writeFrames({ dataset: ASL_DVS, simulated: false, settings, root: data, output });
      const { frames } = parseClipIndex(
        await readFile(path.join(output, 'clips.json'), 'utf8'),
        'clips.json',
      );
      const { data: counts } = decodeNpy(await readFile(path.join(output, 'test.npy')), 'test.npy');
      return { frames, first: Array.from(counts.subarray(0, 2 * 180 * 240), Number) };
    };
    const counted = (stride: number) => {
      const counts = new Array<number>(2 * 180 * 240).fill(0);
      for (let i = 0; i < x.length; i++) counts[p[i] * 180 * 240 + y[i] * stride + x[i]]! += 1;
      return counts;
    };
    const [right, sheared] = [await made('right', 'width'), await made('sheared', 'height')];
    expect(right.frames).not.toHaveProperty('rowStride');
    expect(sheared.frames.rowStride).toBe('height');
    expect(right.first).toEqual(counted(240));
    expect(sheared.first).toEqual(counted(180));
  });

  test('names a file that cannot be read', async () => {
    const bytes = await readFile(path.join(fixtures, 'asl-dvs.mat'));
    for (const letter of ASL_DVS.classes) {
      for (const i of [1, 2]) await write(`${letter}/${letter}_${i}.mat`, bytes);
    }
    await write('c/c_2.mat', bytes.subarray(0, bytes.length - 3));
    await expect(ASL_DVS.verify(root, real)).rejects.toMatchObject({
      code: 'data-corrupt',
      message: expect.stringContaining('c/c_2.mat'),
    });
  });
});

test('says what is wrong in the order of the names, whichever thread finds it first', async () => {
  const bytes = await readFile(path.join(fixtures, 'asl-dvs.mat'));
  for (const letter of ASL_DVS.classes) {
    for (const i of [1, 2, 3])
      await write(`${letter}/${letter}_${i}.mat`, bytes.subarray(0, letter === 'x' ? 50 : bytes.length));
  }
  await write('b/b_2.mat', bytes.subarray(0, 60));
  const lines: string[] = [];
  await expect(ASL_DVS.verify(root, { ...real, log: (line) => lines.push(line) })).rejects.toThrow();
  const named = lines.map((line) => /\w\/\w_\d\.mat/.exec(line)?.[0]);
  expect(named).toEqual(['b/b_2.mat', 'x/x_1.mat', 'x/x_2.mat', 'x/x_3.mat']);
});

test('a share of each class, rounded down, is for training', () => {
  const layout = {
    name: 'test',
    title: 'Test',
    profile: 'test',
    usualRoot: 'data',
    classes: ['a', 'b'],
    published: { train: 1, test: 1 },
    sensor: { height: 1, width: 1 },
    parts: [],
    sampleNames: '<letter><number>',
    largestSampleBytes: 1,
    trainShare: 0.5,
    parseName: (name: string) =>
      /^[ab]\d+$/.test(name)
        ? { class: name < 'b' ? 0 : 1, split: null, number: Number(name.slice(1)) }
        : null,
    decode: () => {
      throw new Error('not decoded here');
    },
    howToGet: () => '',
  };
  const names = ['b1', 'a10', 'b0', 'a0', 'notes.txt', 'a2'];
  const { train, test: held } = splitSamples(layout, names);
  expect(train.map((sample) => sample.path)).toEqual(['a0', 'b0']);
  expect(held.map((sample) => sample.path)).toEqual(['a10', 'a2', 'b1']);
});
