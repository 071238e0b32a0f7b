import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { writeFrames } from '../../src/data/frames/frame-writer.ts';
import { openDataset } from '../../src/data/open-dataset.ts';
import { sampleLayout, splitSamples } from '../../src/data/samples/layout.ts';
import { decodeNpy } from '../../src/formats/npy.ts';
import { parseClipIndex } from '../../src/results/clip-index.ts';
import type { SampleFacts } from '../../src/results/dataset-facts.ts';
import { ASL_DVS, CIFAR10_DVS, NMNIST, withChecksum } from '../support/datasets.ts';
import { md5 } from '../support/gesture-fixture.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { makeZip } from '../support/zip-fixture.ts';

let root: string;
beforeEach(async () => {
  root = await temporaryFolder();
});

const fixtures = path.resolve(import.meta.dirname, '../fixtures/formats');
const real = { simulated: false };
const cifar10Dvs = openDataset(CIFAR10_DVS);
const aslDvs = openDataset(ASL_DVS);

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
    await expect(cifar10Dvs.verify(root, real)).rejects.toMatchObject({
      code: 'data-corrupt',
      message: expect.stringMatching(/truck\.zip .* is not 89f3922f/),
    });
    const manifest = await openDataset(withChecksum(CIFAR10_DVS, md5(zip))).verify(root, real);
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
    const { train, test: held } = await cifar10Dvs.listClips(root, real);
    expect(train).toHaveLength(180);
    // By code unit, the last would be cifar10_bird_8 and _9.
    expect(held.filter((clip) => clip.class === 2).map((clip) => clip.recording)).toEqual([
      name('bird', 18),
      name('bird', 19),
    ]);
    const read: string[] = [];
    const wanted = { train: train.slice(0, 1), test: held.slice(-1) };
    await cifar10Dvs.readClips(root, wanted, { ...real, invalidEvents: 'keep' }, async (clip) => {
      read.push(`${clip.split} ${clip.row} ${clip.events.count}`);
      expect(clip.endUs).toBeGreaterThan(clip.startUs);
    });
    expect(read).toHaveLength(2);
  });

  test('needs every class, and says which is missing', async () => {
    await write(name('airplane', 0), await readFile(path.join(fixtures, 'cifar10-dvs.aedat')));
    await expect(cifar10Dvs.verify(root, real)).rejects.toMatchObject({
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
    const manifest = await aslDvs.verify(root, real);
    expect(manifest).toMatchObject({
      archive: true,
      splits: { train: { clips: 192 }, test: { clips: 48 } },
      perClass: { a: 10, y: 10 },
    });
    const { test: held } = await aslDvs.listClips(root, real);
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
      await writeFrames({ dataset: aslDvs, simulated: false, settings, root: data, output });
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
});

test('says what is wrong in the order of the names, whichever thread finds it first', async () => {
  const bytes = await readFile(path.join(fixtures, 'asl-dvs.mat'));
  for (const letter of ASL_DVS.classes) {
    for (const i of [1, 2, 3])
      await write(`${letter}/${letter}_${i}.mat`, bytes.subarray(0, letter === 'x' ? 50 : bytes.length));
  }
  await write('b/b_2.mat', bytes.subarray(0, 60));
  const lines: string[] = [];
  await expect(aslDvs.verify(root, { ...real, log: (line) => lines.push(line) })).rejects.toThrow();
  const named = lines.map((line) => /\w\/\w_\d\.mat/.exec(line)?.[0]);
  expect(named).toEqual(['b/b_2.mat', 'x/x_1.mat', 'x/x_2.mat', 'x/x_3.mat']);
});

/** A data set in which 'a3.bin' is a sample. */
const flat: SampleFacts = {
  ...CIFAR10_DVS,
  classes: ['a', 'b'],
  samples: [{ names: '{class}{number}.bin', reader: 'nmnist-bin' }],
  split: { trainShare: 0.5 },
};

test('a share of each class, rounded down, is for training', () => {
  const names = ['b1', 'a10', 'b0', 'a0', 'notes.txt', 'a2'].map((name) => `${name}.bin`);
  const { train, test: held } = splitSamples(sampleLayout(flat), names);
  expect(train.map((sample) => sample.path)).toEqual(['a0.bin', 'b0.bin']);
  expect(held.map((sample) => sample.path)).toEqual(['a10.bin', 'a2.bin', 'b1.bin']);
});

describe('names of samples', () => {
  const nameOf = (names: string, path: string, more: Partial<SampleFacts> = {}) =>
    sampleLayout({ ...flat, samples: [{ names, reader: 'npy' }], ...more }).parseName(path);

  test('say class, split, number and user', () => {
    const split = { folders: { train: 'A+B', test: 'held out' } };
    expect(
      nameOf('{split}/{class}/user{user}_{number}.npy', 'A+B/b/user07_012.npy', { split }),
    ).toMatchObject({
      ...{ class: 1, split: 'train', user: 7, number: 12 },
    });
    expect(nameOf('{split}/{label}/*.npy', 'held out/1/x.npy', { split })).toMatchObject({
      ...{ class: 1, split: 'test', user: null, number: null },
    });
    expect(nameOf('{split}/{label}/*.npy', 'A-B/1/x.npy', { split })).toBe(null);
  });

  test('put the samples of some users into the test split', () => {
    const split = { testUsers: [2] };
    const names = 's{user}/{class}.npy';
    expect(nameOf(names, 's1/a.npy', { split })?.split).toBe('train');
    expect(nameOf(names, 's02/a.npy', { split })?.split).toBe('test');
  });

  test('agree where a word occurs twice, and * stays within a folder', () => {
    expect(nameOf('{class}/{class}-*{number}.npy', 'a/a-x1_22.npy')).toMatchObject({ class: 0, number: 22 });
    expect(nameOf('{class}/{class}-*{number}.npy', 'a/b-22.npy')).toBe(null);
    expect(nameOf('{class}*.npy', 'a/b.npy')).toBe(null);
  });

  test('are of the class with the longest name that they begin with', () => {
    const classes = ['wa', 'wave', 'x'];
    expect(nameOf('{class}*.npy', 'wave3.npy', { classes })?.class).toBe(1);
    expect(nameOf('{class}*.npy', 'wa-3.npy', { classes })?.class).toBe(0);
  });

  test('of a split that names do not tell are refused', () => {
    const refused = (names: string, split: SampleFacts['split']) =>
      expect(() => nameOf(names, 'x', { split })).toThrow(expect.objectContaining({ code: 'dataset-names' }));
    refused('{class}/{number}.npy', { testUsers: [1] });
    refused('{class}/{number}.npy', { folders: { train: 'Train', test: 'Test' } });
    refused('{split}/{class}/{number}.npy', { trainShare: 0.5 });
  });
});

test('a data set of the N-MNIST kind takes one file and no TypeScript', async () => {
  const facts: SampleFacts = {
    ...NMNIST,
    ...{
      name: 'mine',
      title: 'Mine',
      classes: ['left', 'right'],
      files: [],
      published: { train: 2, test: 2 },
    },
    sensor: { width: 300, height: 200 },
  };
  const events = Uint8Array.of(1, 2, 0x80, 0, 100, 250, 199, 0, 0, 200);
  for (const split of ['Train', 'Test'])
    for (const label of facts.classes) await write(`${split}/${label}/7.bin`, events);
  const dataset = openDataset(facts);
  const manifest = await dataset.verify(root, real);
  expect(manifest).toMatchObject({ dataset: 'mine', perClass: { left: 2, right: 2 }, warnings: [] });
  const { test: held } = await dataset.listClips(root, real);
  expect(held.map((clip) => [clip.recording, clip.class])).toEqual([
    ['Test/left/7.bin', 0],
    ['Test/right/7.bin', 1],
  ]);
});
