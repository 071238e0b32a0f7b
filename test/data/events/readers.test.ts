import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { READERS } from '../../../src/data/events/readers.ts';
import { goldenEvents } from '../../support/golden-events.ts';

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url));
const expected = JSON.parse(read('fixtures/formats/expected.json').toString());
const DVS128 = { title: 'A', sensor: { height: 128, width: 128 } };
const DAVIS = { title: 'B', sensor: { height: 260, width: 346 } };

const timesOf = (events: { readonly tUs: Float64Array }) => [...events.tUs];

test('a table reads each kind of file with the sensor of its data set', async () => {
  const nmnist = READERS['nmnist-bin'].decode(Uint8Array.of(3, 2, 0x81, 2, 1), 'a.bin', DVS128);
  expect(timesOf(nmnist.events)).toEqual([66_049]);
  const aedat2 = READERS.aedat2.decode(read('fixtures/formats/cifar10-dvs.aedat'), 'a.aedat', DVS128);
  expect(timesOf(aedat2.events)).toEqual(expected['cifar10-dvs.aedat'].original.t);
  const aedat3 = READERS.aedat3.decode(read('golden/recording.aedat'), 'a.aedat', DVS128);
  expect(aedat3).toEqual({ events: goldenEvents('aedat_events'), warnings: [] });
  const mat = READERS.mat.decode(read('fixtures/formats/asl-dvs.mat'), 'a.mat', DAVIS);
  expect(timesOf(mat.events)).toEqual(expected['asl-dvs.mat'].t);
  const npy = READERS.npy.decode(read('fixtures/formats/events.npz'), 'a.npz', {
    ...DAVIS,
    npy: { timeUnit: 's' },
  });
  expect(npy).toEqual(mat);
  const aedat4 = await READERS.aedat4.decode(read('fixtures/formats/davis-lz4.aedat4'), 'a.aedat4', DAVIS);
  expect(Object.keys(aedat4)).toEqual(['events', 'warnings']);
});

test('an AEDAT 4 recording of another sensor is refused with both sizes', async () => {
  const decoded = READERS.aedat4.decode(read('fixtures/formats/davis-none.aedat4'), 'a.aedat4', DVS128);
  await expect(decoded).rejects.toMatchObject({
    code: 'sample-sensor',
    message: 'its sensor is 346 x 260, but the sensor of A is 128 x 128.',
  });
});

test('an AEDAT 2.0 recording is read as its header says, or as its addresses look, and CIFAR10-DVS as the original does', () => {
  const bytes = (camera: string) =>
    Buffer.concat([
      Buffer.from(`#!AER-DAT2.0\r\n# AEChip: ${camera}\r\n`),
      Uint8Array.of(0x0c, 0x81, 0x28, 0, 0, 0, 0, 7),
    ]);
  const placeIn = (camera: string) => {
    const { events } = READERS.aedat2.decode(bytes(camera), 'a.aedat', DAVIS);
    return [events.x[0], events.y[0]];
  };
  expect(placeIn('eu.seebetter.ini.chips.davis.Davis346')).toEqual([18, 50]);
  expect(placeIn('ch.unizh.ini.jaer.chip.retina.DVS128')).toEqual([127, 40]);
  // No camera in the header: only a DVS128 leaves the upper bits empty.
  expect(placeIn('unknown')).toEqual([18, 50]);
  const { events } = READERS.aedat2.decode(bytes('unknown'), 'a.aedat', {
    ...DAVIS,
    sensor: { height: 128, width: 128 },
  });
  expect([events.x[0], events.y[0]]).toEqual([127, 40]);
});
