import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { decodeNpyEvents } from '../../src/data/events/npy-events.ts';
import { decodeSound } from '../../src/data/events/sound-events.ts';
import { openDataset } from '../../src/data/open-dataset.ts';
import { readWhole } from '../../src/data/reading/file-tree.ts';
import { TarTree } from '../../src/data/reading/tar-tree.ts';
import { ARABIC_DIGITS, SPOKEN_DIGITS } from '../support/datasets.ts';

const root = path.resolve(SPOKEN_DIGITS.root);

test('the repository has five rounds of the ten digits by each of 30 people, as its file says', async () => {
  const manifest = await openDataset(SPOKEN_DIGITS).verify(root, { simulated: false });
  expect(manifest.warnings).toEqual([]);
  expect(Object.values(manifest.perUser)).toEqual(Array(30).fill(50));
  expect(Object.values(manifest.perClass)).toEqual(Array(10).fill(150));
});

const recordings = path.resolve(ARABIC_DIGITS.root);

test.skipIf(!existsSync(recordings))('these are the events of the recordings, in whole ms', async () => {
  const [samples] = SPOKEN_DIGITS.samples;
  let count = 0;
  await new TarTree(path.join(root, 'events.tar.gz'), 'events.tar.gz').walk(async (file) => {
    const { sensor } = SPOKEN_DIGITS;
    const found = decodeNpyEvents(await readWhole(file, 1e6), file.path, { sensor, npy: samples });
    const [, person, round] = /(\d+)_(\d+)\.npy$/.exec(file.path)!;
    const name = `${path.dirname(file.path)}/${person}_NO_${round}.wav`;
    const { events } = decodeSound(await readFile(path.join(recordings, name)), name, ARABIC_DIGITS.audio);
    const tUs = events.tUs.map((us) => 1000 * Math.floor(us / 1000));
    expect(found.events).toEqual({ ...events, tUs });
    count++;
  });
  expect(count).toBe(1500);
});
