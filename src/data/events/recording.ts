import { ReproError } from '../../base/errors.ts';
import { CONVERT, OTHER_SOUND } from '../../formats/wav.ts';
import type { Events, Sensor } from './events.ts';
import { guessNpySettings } from './npy-events.ts';
import { findReader, READERS, type ReaderName, type ReaderSettings } from './readers.ts';

/** A recording outside any data set. */
interface Recording {
  readonly events: Events;
  readonly sensor: Sensor;
  readonly format: string;
  readonly warnings: readonly string[];
}

/** AEDAT 2.0 and 3.1 do not say how large the sensor is; the coordinates of these two have 15 bits. */
const LARGEST: Sensor = { height: 1 << 15, width: 1 << 15 };

/** Of N-MNIST, whose samples do not say so either. */
const SMALLEST: Sensor = { height: 34, width: 34 };

/** Sensors of common event cameras, each wider and higher than the one before: DVS128, DAVIS240, ATIS, DAVIS346, VGA and HD sensors. */
const CAMERAS: readonly Sensor[] = [
  { height: 128, width: 128 },
  { height: 180, width: 240 },
  { height: 240, width: 304 },
  { height: 260, width: 346 },
  { height: 480, width: 640 },
  { height: 720, width: 1280 },
];

/** With that of N-MNIST, for formats that any program writes. */
export const SENSORS = [SMALLEST, ...CAMERAS];

/**
 * Reads a recording by the version in its first line: AEDAT 2.0 (of a DVS128 or a DAVIS), 3.1 or 4.0. Where the file does not give the
 * sensor's size, it is that of the smallest common camera that fits all events. A file that ends in `.bin` is read as
 * a sample of N-MNIST, `.npy` and `.npz` as what Python wrote, `.wav` as sound.
 *
 * @param expected the sensor of a `.bin`, `.npy` or `.npz` if all events fit; their smallest common sensor is otherwise that of N-MNIST
 * @param npy by default a guess
 * @throws {ReproError} `recording-format` for anything else; as the format's own reader
 */
export async function decodeRecording(
  bytes: Uint8Array,
  file: string,
  expected: Sensor = SMALLEST,
  { npy, audio }: ReaderSettings = {},
): Promise<Recording> {
  const reader = findReader(READERS, file, bytes);
  if (reader === undefined) {
    const problem =
      'this is not a recording in AEDAT 2.0, 3.1 or 4.0, and its name does not end in .bin, .npy, .npz or .wav.';
    const fix = OTHER_SOUND.test(file)
      ? CONVERT
      : 'For a sample of a data set: `./repro data show NAME CLIP`.';
    throw new ReproError('recording-format', problem, { where: file, fix });
  }
  const { format, decode } = READERS[reader];
  const settings = { npy: reader === 'npy' ? (npy ?? guessNpySettings(bytes, file)) : undefined, audio };
  const source = { title: 'the recording', sensor: LARGEST, ...settings };
  const { events, sensor, warnings } = await decode(bytes, file, source);
  const sensors = isOfAnyProgram(reader) ? [expected, ...SENSORS] : CAMERAS;
  return { events, sensor: sensor ?? smallestSensor(extentOf(events), sensors), format, warnings };
}

/** Of formats that any program writes, sensors may be smaller than those of cameras. */
export function isOfAnyProgram(reader: ReaderName): boolean {
  return reader === 'nmnist-bin' || reader === 'npy';
}

/** The smallest common sensor that is at least as large; of others as large as asked, if there is none. */
export function smallestSensor(least: Sensor, sensors = CAMERAS): Sensor {
  return sensors.find(({ height, width }) => height >= least.height && width >= least.width) ?? least;
}

/** The smallest sensor that has all events. */
export function extentOf({ x, y }: Events): Sensor {
  const most = (values: Uint16Array) => values.reduce((a, b) => Math.max(a, b), 0);
  return { height: most(y) + 1, width: most(x) + 1 };
}
