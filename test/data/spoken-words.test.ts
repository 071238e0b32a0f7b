import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { create } from 'tar';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { writeFrames } from '../../src/data/frames/frame-writer.ts';
import { openDataset } from '../../src/data/open-dataset.ts';
import { TarTree } from '../../src/data/reading/tar-tree.ts';
import { sampleLayout } from '../../src/data/samples/layout.ts';
import { decodeNpy } from '../../src/formats/npy.ts';
import type { SampleFacts } from '../../src/results/dataset-facts.ts';
import { ARABIC_DIGITS, FREE_SPOKEN_DIGITS, SPEECH_COMMANDS } from '../support/datasets.ts';
import { md5 } from '../support/gesture-fixture.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { u16, wav } from '../support/wav-fixture.ts';

let root: string;
beforeEach(async () => {
  root = await temporaryFolder();
});

const real = { simulated: false };

async function write(name: string, bytes: Uint8Array | string): Promise<void> {
  const file = path.join(root, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, bytes);
}

/** Silence and then a click, in 100 ms at 16 kHz: its events begin after 40 ms. */
const word = (loudness: number) =>
  wav({}, u16(...Array.from({ length: 1600 }, (_, i) => (i === 800 ? loudness : 0))));

/** Two words of Speech Commands: two people, one of whom has a recording twice; one recording is for testing. */
const few: SampleFacts = { ...SPEECH_COMMANDS, classes: ['yes', 'no'], published: { train: 3, test: 1 } };
const TEST_SAMPLE = 'no/ffffffff_nohash_0.wav';

async function writeWords(): Promise<void> {
  await write('yes/0a7c2a8d_nohash_0.wav', word(1000));
  await write('yes/0a7c2a8d_nohash_1.wav', word(1000));
  await write('yes/ffffffff_nohash_0.wav', word(1000));
  await write('no/0a7c2a8d_nohash_0.wav', word(1000));
  await write(TEST_SAMPLE, word(2000));
  await write('testing_list.txt', `${TEST_SAMPLE}\n`);
}

/** As its publisher packs it, with ./ before each name. */
async function pack(): Promise<SampleFacts> {
  const names = (await readdir(root)).map((name) => `./${name}`);
  const name = 'speech_commands_v0.02.tar.gz';
  const file = path.join(root, name);
  await create({ gzip: true, cwd: root, file }, names);
  for (const packed of names) await rm(path.join(root, packed), { recursive: true });
  return { ...few, files: [{ ...few.files[0]!, md5: md5(await readFile(file)) }] };
}

async function framesOf(
  facts: SampleFacts,
  frames: { readonly steps: number },
  leftOut?: ReadonlySet<string>,
) {
  const settings = { ...frames, splitBy: 'duration', durationUs: 10_000 } as const;
  const output = path.join(await temporaryFolder(), 'frames');
  const index = await writeFrames({
    ...{ dataset: openDataset(facts), simulated: false, settings, root, output },
    ...(leftOut === undefined ? {} : { leftOut }),
  });
  const { data, shape } = decodeNpy(await readFile(path.join(output, 'test.npy')), 'test.npy');
  return { index, shape, data: [...data].map(Number) };
}

describe('Speech Commands', () => {
  beforeEach(writeWords);

  test('is split by its list, its people are hexadecimal numbers, and exact duplicates are left out and counted', async () => {
    const manifest = await openDataset(few).verify(root, real);
    expect(manifest).toMatchObject({
      splits: { train: { clips: 3 }, test: { clips: 1 } },
      perUser: { [`user${0x0a7c2a8d}`]: 2, [`user${0xffffffff}`]: 2 },
    });
    expect(manifest.files.filter(({ status }) => status === 'duplicate').map((file) => file.path)).toEqual([
      'yes/0a7c2a8d_nohash_1.wav',
    ]);
    expect(manifest.warnings).toContainEqual(
      expect.stringMatching(/^1 sample left out.*0a7c2a8d_nohash_1\.wav/),
    );
  });

  test('keeps duplicates if its file does not say otherwise', async () => {
    const { duplicates: _, ...all } = few;
    const manifest = await openDataset(all).verify(root, real);
    expect(manifest.splits.train.clips).toBe(4);
    expect(manifest.files.every(({ status }) => status !== 'duplicate')).toBe(true);
  });

  test('has no frames of what is left out', async () => {
    const { index } = await framesOf(few, { steps: 10 }, new Set(['yes/0a7c2a8d_nohash_1.wav']));
    expect(index.splits.train.map(({ recording }) => recording)).toEqual([
      'no/0a7c2a8d_nohash_0.wav',
      'yes/0a7c2a8d_nohash_0.wav',
      'yes/ffffffff_nohash_0.wav',
    ]);
    expect(index.splits.test.map(({ recording, user }) => [recording, user])).toEqual([
      [TEST_SAMPLE, 0xffffffff],
    ]);
  });

  test('gives the same from its .tar.gz, which is read in place and unpacked three times for all checks', async () => {
    const unpacked = await openDataset(few).verify(root, real);
    const frames = await framesOf(few, { steps: 10 });
    const facts = await pack();
    const walk = vi.spyOn(TarTree.prototype, 'walk');
    const manifest = await openDataset(facts).verify(root, real);
    // For its names, for the list, and for the samples.
    expect(walk).toHaveBeenCalledTimes(3);
    walk.mockRestore();
    expect(manifest).toMatchObject({
      ...{ splits: unpacked.splits, perUser: unpacked.perUser, perClass: unpacked.perClass },
      archive: true,
    });
    expect(manifest.warnings).toEqual(unpacked.warnings);
    expect(manifest.files).toEqual(expect.arrayContaining([...unpacked.files]));
    expect(await framesOf(facts, { steps: 10 })).toEqual(frames);
  });

  test('without its list is refused with the name of the list', async () => {
    await rm(path.join(root, 'testing_list.txt'));
    await expect(openDataset(few).verify(root, real)).rejects.toMatchObject({
      code: 'data-missing',
      message: expect.stringContaining('lacks testing_list.txt'),
      fix: expect.stringContaining('repro data fetch speech-commands'),
    });
  });
});

describe('frames of sound', () => {
  test('begin at 0, not at the first event, and clips.json says so', async () => {
    await writeWords();
    const { index, data } = await framesOf(few, { steps: 10 });
    expect(index.frames.from).toBe('file');
    const [clip] = index.splits.test;
    expect(clip).toMatchObject({ startUs: 0 });
    const perFrame = Array.from({ length: 10 }, (_, step) =>
      data.slice(step * 128, (step + 1) * 128).reduce((a, b) => a + b, 0),
    );
    // The click is at 50 ms, and the window reaches 12.5 ms to each side.
    expect(perFrame.slice(0, 3)).toEqual([0, 0, 0]);
    expect(perFrame[4]).toBeGreaterThan(0);
    expect(perFrame.slice(7)).toEqual([0, 0, 0]);
    expect(perFrame.reduce((a, b) => a + b, 0)).toBe(clip?.events);
  });

  test('begin at the first event where the data set says so', async () => {
    await writeWords();
    const { index, data } = await framesOf({ ...few, framesFrom: 'first-event' }, { steps: 10 });
    expect(index.frames.from).toBeUndefined();
    expect(index.splits.test[0]!.startUs).toBeGreaterThan(30_000);
    expect(data.slice(0, 128).reduce((a, b) => a + b, 0)).toBeGreaterThan(0);
  });
});

describe('names of speakers', () => {
  const nameOf = (facts: SampleFacts, file: string) => sampleLayout(facts).parseName(file);

  test('are numbered from 1 in the order of the data set’s file, and rounds 0 to 4 are for testing', () => {
    expect(nameOf(FREE_SPOKEN_DIGITS, '7_jackson_32.wav')).toMatchObject({
      ...{ class: 7, user: 2, number: 32, split: 'train' },
    });
    expect(nameOf(FREE_SPOKEN_DIGITS, '0_yweweler_4.wav')).toMatchObject({
      ...{ class: 0, user: 6, number: 4, split: 'test' },
    });
    expect(nameOf(FREE_SPOKEN_DIGITS, '0_somebody_4.wav')).toBe(null);
  });

  test('may be digits, of which the last six people are for testing', () => {
    expect(nameOf(ARABIC_DIGITS, 'zero/00000024_NO_10.wav')).toMatchObject({ user: 24, split: 'train' });
    expect(nameOf(ARABIC_DIGITS, 'nine/00000025_NO_01.wav')).toMatchObject({
      class: 9,
      user: 25,
      split: 'test',
    });
    expect(nameOf(ARABIC_DIGITS, 'backward/00000001_NO_01.wav')).toBe(null);
  });

  test('are refused where the split needs numbers that names lack', () => {
    const samples = [{ names: '{class}_{user}.wav', reader: 'wav' }] as const;
    expect(() => sampleLayout({ ...FREE_SPOKEN_DIGITS, samples })).toThrow(
      expect.objectContaining({
        code: 'dataset-names',
        message: expect.stringMatching(/\{number\}.*testNumbers/),
        fix: expect.stringContaining('{number}'),
      }),
    );
  });
});
