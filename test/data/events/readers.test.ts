import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodeSample, SAMPLE_READERS, sampleLayout } from '../../../src/data/samples/layout.ts';
import { NMNIST } from '../../support/datasets.ts';
import { goldenEvents } from '../../support/golden-events.ts';

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url));
const expected = JSON.parse(read('fixtures/formats/expected.json').toString());
const DVS128 = { title: 'A', sensor: { height: 128, width: 128 } };
const DAVIS = { title: 'B', sensor: { height: 260, width: 346 } };

const timesOf = (events: { readonly tUs: Float64Array }) => [...events.tUs];

test('a table reads each kind of file with the sensor of its data set', async () => {
  const nmnist = await SAMPLE_READERS['nmnist-bin'].decode(Uint8Array.of(3, 2, 0x81, 2, 1), 'a.bin', DVS128);
  expect(timesOf(nmnist.events)).toEqual([66_049]);
  const aedat2 = await SAMPLE_READERS.aedat2.decode(
    read('fixtures/formats/cifar10-dvs.aedat'),
    'a.aedat',
    DVS128,
  );
  expect(timesOf(aedat2.events)).toEqual(expected['cifar10-dvs.aedat'].original.t);
  const aedat3 = await SAMPLE_READERS.aedat3.decode(read('golden/recording.aedat'), 'a.aedat', DVS128);
  expect(aedat3).toEqual({ events: goldenEvents('aedat_events'), warnings: [] });
  const mat = await SAMPLE_READERS.mat.decode(read('fixtures/formats/asl-dvs.mat'), 'a.mat', DAVIS);
  expect(timesOf(mat.events)).toEqual(expected['asl-dvs.mat'].t);
  const npy = await SAMPLE_READERS.npy.decode(read('fixtures/formats/events.npz'), 'a.npz', {
    ...DAVIS,
    npy: { timeUnit: 's' },
  });
  expect(npy).toEqual(mat);
  const aedat4 = await SAMPLE_READERS.aedat4.decode(
    read('fixtures/formats/davis-lz4.aedat4'),
    'a.aedat4',
    DAVIS,
  );
  expect(aedat4.sensor).toEqual(DAVIS.sensor);
});

test.each([
  ['aedat4', 'davis-none.aedat4', {}, 'its sensor is 346 x 260, but the sensor of A is 128 x 128.'],
  [
    'wav',
    '../sound/chirp.wav',
    { bands: 8, highHz: 3800 },
    '`audio.bands` x 1 is 8 x 1, but the sensor of A is 128 x 128.',
  ],
] as const)(
  'a sample of %s with another sensor is refused with both sizes',
  async (reader, name, audio, message) => {
    const layout = sampleLayout({ ...NMNIST, ...DVS128, audio });
    const files = { names: '', reader };
    const sample = { files, class: 0, split: null, number: null, user: null };
    const decoded = decodeSample(layout, sample, read(`fixtures/formats/${name}`), name);
    await expect(decoded).rejects.toMatchObject({ code: 'sample-sensor', message });
  },
);
