import { ReproError } from '../../base/errors.ts';
import { addressOfCamera, DAVIS_ADDRESS, decodeAedat2, guessAddress, readAedat2Header } from './aedat2.ts';
import { decodeAedat3 } from './aedat3-parser.ts';
import { decodeAedat4 } from './aedat4.ts';
import type { Sensor } from './events.ts';
import { decodeMatEvents } from './mat-events.ts';
import { decodeNmnist } from './nmnist-events.ts';
import { decodeNpyEvents, type NpySettings } from './npy-events.ts';

/** The data set that a file of events belongs to. */
interface SampleSource {
  readonly title: string;
  readonly sensor: Sensor;
  readonly npy?: NpySettings | undefined;
}

/** What turns a file with one clip into events and sentences on what is odd, by the name that a data set's `reader` gives. */
export const READERS = {
  'nmnist-bin': { endings: ['.bin'], decode: decodeNmnist },
  aedat2: {
    endings: ['.aedat'],
    decode(bytes, file, { sensor }) {
      const header = readAedat2Header(bytes, file);
      // CIFAR10-DVS as the original reads it, whatever bits its addresses have.
      const isDvs128 = sensor.width === 128 && sensor.height === 128;
      const guess = isDvs128 ? undefined : guessAddress(bytes.subarray(header.sizeBytes));
      const camera = addressOfCamera(header) ?? guess;
      return decodeAedat2(bytes, file, sensor, camera === DAVIS_ADDRESS ? camera : undefined);
    },
  },
  aedat3: {
    endings: ['.aedat'],
    decode(bytes, file, { sensor }) {
      const { events, summary } = decodeAedat3(bytes, { file, sensor });
      return { events, warnings: summary.warnings };
    },
  },
  aedat4: {
    endings: ['.aedat4'],
    async decode(bytes, file, { title, sensor }) {
      const { sensor: found, ...sample } = await decodeAedat4(bytes, file);
      if (found.height === sensor.height && found.width === sensor.width) return sample;
      const what = `the header's sensor has ${found.width} x ${found.height} pixels, but ${title} has ${sensor.width} x ${sensor.height}.`;
      throw new ReproError('sample-sensor', what, {
        where: file,
        fix: 'Correct `sensor` of the data set, or remove the file.',
      });
    },
  },
  mat: { endings: ['.mat'], decode: decodeMatEvents },
  npy: { endings: ['.npy', '.npz'], decode: decodeNpyEvents },
} as const satisfies Readonly<
  Record<
    string,
    { endings: readonly string[]; decode(bytes: Uint8Array, file: string, of: SampleSource): object }
  >
>;
