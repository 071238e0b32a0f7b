import { ReproError } from '../../base/errors.ts';
import type { AudioSettings } from '../../results/audio-settings.ts';
import { addressOfCamera, DAVIS_ADDRESS, decodeAedat2, guessAddress, readAedat2Header } from './aedat2.ts';
import { decodeAedat3 } from './aedat3-parser.ts';
import { decodeAedat4 } from './aedat4.ts';
import type { Sensor } from './events.ts';
import { decodeMatEvents } from './mat-events.ts';
import { decodeNmnist } from './nmnist-events.ts';
import { decodeNpyEvents, type NpySettings } from './npy-events.ts';
import { decodeSound } from './sound-events.ts';

/** What a file does not say of itself. */
export interface ReaderSettings {
  /** How a `.npy` or `.npz` is read. */
  readonly npy?: NpySettings | undefined;
  /** How sound becomes events; keys that are left out have their defaults. */
  readonly audio?: Partial<AudioSettings> | undefined;
}

/** The data set that a file of events belongs to. */
interface SampleSource extends ReaderSettings {
  readonly title: string;
  readonly sensor: Sensor;
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
    async decode(bytes, file, of) {
      return withSensor(await decodeAedat4(bytes, file), file, of);
    },
  },
  mat: { endings: ['.mat'], decode: decodeMatEvents },
  npy: { endings: ['.npy', '.npz'], decode: decodeNpyEvents },
  wav: {
    endings: ['.wav'],
    decode: (bytes, file, of) =>
      withSensor(decodeSound(bytes, file, of.audio), file, of, '`audio.bands` x 1'),
  },
} as const satisfies Readonly<
  Record<
    string,
    { endings: readonly string[]; decode(bytes: Uint8Array, file: string, of: SampleSource): object }
  >
>;

/** @throws {ReproError} `sample-sensor` if a recording's own sensor is not that of the data set */
function withSensor<T extends { readonly sensor: Sensor }>(
  { sensor: found, ...sample }: T,
  file: string,
  { title, sensor }: SampleSource,
  size = 'its sensor',
): Omit<T, 'sensor'> {
  if (found.height === sensor.height && found.width === sensor.width) return sample;
  const what = `${size} is ${found.width} x ${found.height}, but the sensor of ${title} is ${sensor.width} x ${sensor.height}.`;
  const fix = 'Correct `sensor` of the data set, or remove the file.';
  throw new ReproError('sample-sensor', what, { where: file, fix });
}
